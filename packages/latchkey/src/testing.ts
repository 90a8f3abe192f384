/**
 * @module What tests of guarded routes need: a real keyring in memory, and a clock that the test turns.
 */

import { header } from './guard/credential.ts'
import { systemClock } from './keyring/clock.ts'
import type { RotateOptions } from './keyring/call-options.ts'
import type { IssueOptions } from './keyring/issue.ts'
import type { Keyring, KeyringOptions, OpenKeyring } from './keyring/keyring.ts'
import { openKeyring } from './keyring/open.ts'
import type { Grant } from './policy/scopes.ts'
import type { Clock } from './ports.ts'
import { decodeHash, hashSecret } from './secret/hash.ts'
import { sqliteStore } from './store/sqlite.ts'

/** A clock that stands still until a test turns it. */
export interface TestClock extends Clock {
  /**
   * Moves the clock on by so many milliseconds.
   *
   * @example
   * const clock = testClock(0)
   * clock.advance(60_000)
   * clock.now() // 60_000
   */
  advance(milliseconds: number): void
  /**
   * Sets the clock to a time, in milliseconds since 1970.
   *
   * @example
   * const clock = testClock()
   * clock.set(Date.UTC(2030, 0, 1))
   * clock.now() // 1_893_456_000_000
   */
  set(now: number): void
}

/**
 * Makes a clock that a test turns. The time of day stands still until then. Leases and limits go on by the monotonic clock
 * of the machine, as other processes would see them, and `advance` moves that one too.
 *
 * @param start - the time of day, in milliseconds since 1970; now if left out.
 *
 * @example
 * const clock = testClock(Date.UTC(2030, 0, 1))
 * clock.advance(60_000)
 * clock.now() // 1_893_456_060_000
 */
export function testClock(start: number = Date.now()): TestClock {
  let now = start
  let ahead = 0
  return {
    now: () => now,
    monotonic: () => systemClock.monotonic() + ahead,
    advance(milliseconds) {
      now += milliseconds
      ahead += milliseconds
    },
    set(timestamp) {
      now = timestamp
    },
  }
}

/** A keyring in memory, and the functions with which a test uses it. */
export interface TestKeyring<Scope extends string> {
  /** A real keyring, with every verb. */
  readonly keyring: OpenKeyring<Scope>
  /** The clock of the keyring. */
  readonly clock: TestClock
  /**
   * Issues a key with these scopes and returns the headers that send it.
   *
   * @param options - other members of the key, as `issue` takes them.
   *
   * @example await app.inject({ url: '/orders', headers: await headersFor(['orders:read']) })
   */
  readonly headersFor: (
    scopes: readonly Grant<Scope>[],
    options?: Partial<Omit<IssueOptions<Scope>, 'scopes'>>,
  ) => Promise<Readonly<Record<string, string>>>
  /**
   * Returns the names of the keys whose secret, or its hash, is in a text: an answer, a log, a dump. If there is one, the
   * test has found a leak.
   *
   * @example
   * const answer = await app.inject({ url: '/orders', headers: await headersFor(['orders:read']) })
   * assert.deepEqual(secretsIn(answer.body), [])
   */
  readonly secretsIn: (text: string) => readonly string[]
}

/**
 * Opens a keyring for tests of your own guarded routes: a real one, in memory, on a clock that the test turns.
 *
 * @example
 * const { keyring, clock, headersFor } = await testKeyring({ scopes: { 'orders:read': 'Read orders' } })
 * const { plugin, requires } = fastifyGuard(keyring)
 * const app = Fastify()
 * await app.register(plugin)
 * app.get('/orders', { onRequest: requires('orders:read') }, () => [])
 * const answer = await app.inject({ url: '/orders', headers: await headersFor(['orders:read']) })
 * console.log(answer.statusCode) // 200
 * clock.advance(60_000)
 */
export async function testKeyring<const Scope extends string>(
  options: Omit<KeyringOptions<Scope>, 'store' | 'clock'>,
): Promise<TestKeyring<Scope>> {
  const clock = testClock()
  const opened = await openKeyring<Scope>({ ...options, store: sqliteStore({ file: ':memory:' }), clock })
  const traces = new Map<string, string>()
  const keyring = {
    ...watched(opened, traces),
    as: (admin) => watched(opened.as(admin), traces),
  } satisfies OpenKeyring<Scope>
  return {
    keyring,
    clock,
    async headersFor(scopes, issueOptions = {}) {
      const { secret } = await keyring.issue({ name: 'Test key', owner: 'test', ...issueOptions, scopes })
      return { [header]: secret }
    },
    secretsIn(text) {
      return [...traces].filter(([trace]) => text.includes(trace)).map(([, name]) => name)
    },
  }
}

/** The same keyring; each verb that receives a secret, or the hash of one, notes it with the key's name. */
function watched<Watched extends Keyring>(inner: Watched, traces: Map<string, string>): Watched {
  const note = (name: string, secret: string | null): void => {
    if (secret !== null) for (const trace of [secret, hashSecret(secret)]) traces.set(trace, name)
  }
  const watching: Pick<Keyring, 'issueMany' | 'importMany'> & Record<'issue' | 'rotate', unknown> = {
    async issue(options: IssueOptions<string>) {
      const issued = await inner.issue(options)
      note(issued.key.name, issued.secret)
      return issued
    },
    async issueMany(keys, options) {
      const done = await inner.issueMany(keys, options)
      if (!done.repeated) for (const { key, secret } of done.created) note(key.name, secret)
      return done
    },
    async importMany(keys, options) {
      const done = await inner.importMany(keys, options)
      for (const { name, hash } of keys)
        for (const trace of [hash, decodeHash(hash)?.hash ?? hash]) traces.set(trace, name)
      return done
    },
    async rotate(id: string, options?: RotateOptions) {
      const rotated = await inner.rotate(id, options)
      note(rotated.key.name, rotated.secret)
      return rotated
    },
  }
  return { ...inner, ...watching }
}
