// What an example in a doc comment finds there, by the names that are used in it. All of it is made anew for each.

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Clock, KeyDetails, OpenKeyring, Store } from 'latchkey'
import type { FastifyGuard } from 'latchkey/guard/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { TestKeyring } from 'latchkey/testing'
import { testKeyring } from 'latchkey/testing'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }

type Scope = keyof typeof scopes

export interface World extends FastifyGuard<Scope>, Omit<TestKeyring<Scope>, 'keyring' | 'clock'> {
  readonly scopes: typeof scopes
  readonly store: Store
  readonly clock: Clock
  readonly keyring: OpenKeyring<Scope>
  /** A key that was issued, of the owner acme, with the scope `orders:read`. */
  readonly key: KeyDetails<Scope>
  readonly secret: string
  /** Guarded, and without a route yet. */
  readonly app: FastifyInstance
  readonly end: () => Promise<void>
}

/** Makes a world in a folder of its own, which becomes that of the process. */
export async function makeWorld(within: string): Promise<World> {
  const folder = join(within, `world-${randomUUID()}`)
  mkdirSync(folder)
  process.chdir(folder)
  mkdirSync('data')
  const { keyring, clock, headersFor, secretsIn } = await testKeyring({ scopes })
  const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
  const guard = fastifyGuard(keyring)
  const app = Fastify()
  await app.register(guard.plugin)
  const store = sqliteStore({ file: ':memory:' })
  return {
    ...guard,
    scopes,
    store,
    clock,
    keyring,
    key,
    secret,
    app,
    headersFor,
    secretsIn,
    async end() {
      await app.ready()
      await app.close()
      await keyring.close()
    },
  }
}
