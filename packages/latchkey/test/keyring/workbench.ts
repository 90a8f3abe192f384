import assert from 'node:assert/strict'
import { join } from 'node:path'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import type { KeyringOptions, OpenKeyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Entry } from '../../src/keyring/reading/entry.ts'
import type { Store } from '../../src/ports.ts'
import type { SqliteStore } from '../../src/store/sqlite.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { TestClock } from '../../src/testing.ts'
import type { Verdict } from '../../src/verify/verdict.ts'
import { lateStore } from './late-store.ts'

/** The scopes of the keyrings under test. */
export const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders', 'reports:read': 'Read reports' }
export type Scope = keyof typeof scopes

/** What most keys under test are. */
export const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const

type Shape = (store: Store) => Store

/** What a store says of a change that does not know its instances. */
export const unknownInstances = { instances: null, confirmed: 0, lapsed: 0, lapsedInstances: [] } as const

/** How a store may answer: what holds for one that answers at once must hold for one across a network. */
export const speeds: readonly (readonly [name: string, shape: Shape])[] = [
  ['at once', (store) => store],
  ['late', lateStore],
]

/** A clock that stands still until a test turns it, leases included: on a busy machine they would end by themselves. */
export function stillClock(start: number): TestClock {
  let now = start
  let gone = 0
  return {
    now: () => now,
    monotonic: () => gone,
    advance(milliseconds) {
      now += milliseconds
      gone += milliseconds
    },
    set(moment) {
      gone += Math.max(0, moment - now)
      now = moment
    },
  }
}

/** The same store, for which waiting moves nothing but the time in which leases are measured. */
export function withStillClock(store: Store, clock: TestClock): Store {
  return {
    ...store,
    async settled() {
      const now = clock.now()
      clock.advance(store.lease)
      clock.set(now)
      return { ...unknownInstances, waitedMs: store.lease }
    },
  }
}

/** A store in a file that reads in this thread: to start another one costs more than most tests. */
export function storeIn(file: string): SqliteStore {
  return sqliteStore({ file, readerThread: false })
}

/** A keyring under test on a new store in memory, with its clock; `shape` may put something between it and the store. */
export async function openOn(
  shape: Shape,
  { file = ':memory:', ...options }: Partial<KeyringOptions<Scope>> & { readonly file?: string } = {},
): Promise<{ readonly keyring: OpenKeyring<Scope>; readonly clock: TestClock }> {
  const clock = stillClock(Date.UTC(2030, 0, 15, 12))
  const store = withStillClock(shape(storeIn(file)), clock)
  return { keyring: await openKeyring({ store, scopes, clock, ...options }), clock }
}

/** `accepted`, or the code of the refusal. */
export async function codeOf(verdict: Verdict | Promise<Verdict>): Promise<string> {
  const told = await verdict
  return told.ok ? 'accepted' : told.refusal.code
}

/**
 * What an entry tells of a change, but for the digest of the rows after it, which every entry has, and the salt, which
 * that of an owner has.
 */
export function toldOf(entry: Pick<Entry, 'change'> | undefined): Readonly<Record<string, unknown>> {
  const { state, salt, ...told } = entry?.change ?? {}
  assert.match(String(state), /^[0-9a-f]{64}$/)
  if (salt !== undefined) assert.match(JSON.stringify(salt), /^"[0-9A-Za-z]{22}"$/)
  return told
}

/** How often each outcome came. */
export function counter(outcomes: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

// With the file of tests, and not with the test that is the first to need it.
const folder = temporaryFolder('keyring')
let files = 0

/** A new file for a database, gone after the tests. */
export function newFile(): string {
  return join(folder, `${files++}.db`)
}
