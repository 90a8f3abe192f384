import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Verifier } from 'latchkey'

/** What is wrong with what the service has seen. */
export interface ServiceFaults {
  /** Calls with a value that a caller wrote in the place of Latchkey. */
  forgedSeen: number
  /** Calls with a key. */
  keysSeen: number
  /** Calls of guarded paths without the identity of the key that was sent. */
  unidentified: number
  /** Open paths with an identity. */
  identifiedOpen: number
}

/** The service behind the proxies. */
export interface ProvedService {
  readonly port: number
  readonly calls: () => number
  readonly faults: ServiceFaults
  readonly close: () => void
}

/** Marks all that callers forge. */
export const forged = 'EVIL'

/** A header that tells the service whose key was sent: the id, or `nobody`. */
export const expectedHeader = 'x-expected-key'

/** Opens the service. It checks by the identity who calls, and compares that with who should. */
export async function openService(verifier: Verifier, isKey: (text: string) => boolean): Promise<ProvedService> {
  const faults: ServiceFaults = { forgedSeen: 0, keysSeen: 0, unidentified: 0, identifiedOpen: 0 }
  let calls = 0

  async function look(url: string, headers: readonly string[]): Promise<void> {
    const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? ''] as const] : []))
    const latchkeys = lines.filter(([name]) => /^x.latchkey/i.test(name))
    if (latchkeys.some(([, value]) => value.includes(forged))) faults.forgedSeen++
    if (lines.some(([, value]) => isKey(value))) faults.keysSeen++
    const named = (wanted: string): readonly string[] =>
      lines.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
    if (url === '/health') {
      if (latchkeys.length > 0) faults.identifiedOpen++
      return
    }
    const [identity, ...more] = named('x-latchkey-identity')
    const verdict = await verifier.verify(identity)
    const [expected] = named(expectedHeader)
    const agrees = verdict.ok && verdict.key.id === expected && named('x-latchkey-key-id').join() === expected
    if (!agrees || more.length > 0) faults.unidentified++
  }

  const server = createServer((request, response) => {
    calls++
    const answer = (): void => {
      request.resume()
      response.end('{}')
    }
    look(request.url ?? '', request.rawHeaders).then(answer, answer)
  }).listen(0, '127.0.0.1')
  server.keepAliveTimeout = 0
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    calls: () => calls,
    faults,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
