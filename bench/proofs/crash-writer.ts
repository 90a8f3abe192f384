// Started by crash.ts, which kills it: opens a keyring and lets writers issue and revoke keys until it dies. Every
// message is one line of JSON on stdout, which is a pipe: written at once, and there when this process no longer is.

import { setImmediate as turn } from 'node:timers/promises'
import type { Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Random } from './random.ts'
import { seeded } from './random.ts'

/** The scopes of the keyring. */
export const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }

type Scope = keyof typeof scopes

/** What is granted: nothing, one scope, two, all of a resource. */
const grants = [[], ['orders:read'], ['orders:read', 'orders:write'], ['orders:*']] as const

/** A key as it was asked for. */
export interface Wanted {
  readonly name: string
  readonly owner: string
  readonly scopes: readonly (Scope | 'orders:*')[]
}

/** What the writing process tells. `change` numbers the changes of one life of it. */
export type Message =
  | { readonly is: 'opening' }
  | { readonly is: 'open' }
  | { readonly is: 'issuing'; readonly change: number }
  | { readonly is: 'issued'; readonly change: number; readonly id: string; readonly secret: string; wanted: Wanted }
  | { readonly is: 'revoking'; readonly change: number; readonly id: string }
  | { readonly is: 'revoked'; readonly change: number; readonly id: string }

/** How many keys of an earlier life a writer goes on with. */
const inherited = 20

if (import.meta.main) {
  const [file = '', writers = '', seed = ''] = process.argv.slice(2)
  await main({ file, writers: Number(writers), random: seeded(Number(seed)) })
}

async function main({ file, writers, random }: { file: string; writers: number; random: Random }): Promise<void> {
  tell({ is: 'opening' })
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  tell({ is: 'open' })
  const changes = numbers()
  // Shared: two writers may well revoke the same key at the same time.
  const alive: string[] = []
  await Promise.all(
    Array.from({ length: writers }, (_, index) => write({ keyring, alive, changes, random, owner: `writer ${index}` })),
  )
}

async function write({
  keyring,
  alive,
  changes,
  random,
  owner,
}: {
  keyring: Keyring<Scope>
  alive: string[]
  changes: () => number
  random: Random
  owner: string
}): Promise<never> {
  const { keys } = await keyring.list({ owner, state: 'active', limit: inherited })
  alive.push(...keys.map(({ id }) => id))
  for (;;) {
    const change = changes()
    const place = random.below(alive.length)
    const id = alive[place]
    if (id !== undefined && random.chance(0.4)) {
      tell({ is: 'revoking', change, id })
      await keyring.revoke(id, { reason: 'requested', note: `change ${change}`, actor: owner })
      tell({ is: 'revoked', change, id })
      if (alive.includes(id)) alive.splice(alive.indexOf(id), 1)
    } else {
      const wanted = { name: `Key ${change}`, owner, scopes: random.pick(grants) }
      tell({ is: 'issuing', change })
      const { key, secret } = await keyring.issue({ ...wanted, metadata: { change: String(change) }, actor: owner })
      tell({ is: 'issued', change, id: key.id, secret, wanted })
      alive.push(key.id)
    }
    // Issuing waits for nothing but promises that are kept already: without a turn of the event loop, the writers that
    // wait for a timer would never go on.
    await turn()
  }
}

function numbers(): () => number {
  let last = 0
  return () => ++last
}

function tell(message: Message): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
