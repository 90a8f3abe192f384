import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port on which nobody listens. Linux gives those from 32768 on to whoever asks for any, and so perhaps to another
 * test before this one uses it; below that a port is taken by its number only.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer().listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
