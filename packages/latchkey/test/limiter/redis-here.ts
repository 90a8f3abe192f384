// The Redis that tests share, and the clients that they reach it with.

import { once } from 'node:events'
import { connect } from 'node:net'
import { createClient } from '@redis/client'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { createClient as createClient5 } from 'redis-client-5'
import { skipUnless } from '../../../../test/skip-unless.ts'
import type { IoRedis, NodeRedis } from '../../src/ports.ts'

/** The address of a Redis that is not stopped and whose keys of others are not touched. */
export const redisUrl: string = process.env['LATCHKEY_TEST_REDIS'] ?? 'redis://127.0.0.1:6379'

const { hostname, port } = new URL(redisUrl)
const socket = connect(Number(port || 6379), hostname)
const isThere = await once(socket, 'connect').then(
  () => true,
  () => false,
)
socket.destroy()

/** For the option `skip` of a test. */
export const noRedis: string | false = skipUnless(isThere, `no Redis at ${hostname}:${port || 6379}`)

/** A client of each library and version that the limiter is promised to work with. */
export const clients: Readonly<Record<string, (url: string) => NodeRedis | IoRedis>> = {
  '@redis/client 6': (url) => createClient({ url }),
  '@redis/client 5': (url) => createClient5({ url }),
  'ioredis 6': (url) => new Redis(url, { lazyConnect: true }),
  'ioredis 5': (url) => new Redis5(url, { lazyConnect: true }),
}

/** Runs commands on a connection of its own. */
export async function withRedis<Value>(
  work: (run: (...args: string[]) => Promise<unknown>) => Promise<Value>,
  url: string = redisUrl,
): Promise<Value> {
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  try {
    return await work((...args) => client.sendCommand(args))
  } finally {
    client.destroy()
  }
}

/** A prefix for the keys of one test file, and what deletes them. */
export function ownPrefix(): { readonly prefix: string; readonly forget: () => Promise<void> } {
  const prefix = `test-${process.pid}-${Math.random().toString(36).slice(2, 10)}`
  return {
    prefix,
    forget: () =>
      withRedis(async (run) => {
        const keys = (await run('KEYS', `${prefix}*`)) as string[]
        if (keys.length > 0) await run('DEL', ...keys)
      }),
  }
}
