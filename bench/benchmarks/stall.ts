import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { asSent } from './contender.ts'
import type { Benchmark, Line } from './figure.ts'
import { scopes } from './fill.ts'
import { fillLarge, keys, usageRows } from './large.ts'
import type { Held } from './loop.ts'
import { longestTurn } from './loop.ts'
import { ratioOf, spreadOf } from './measure.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

/** How many keys are used before usage is written. */
const used = 20_000

/** How many keys are verified, in turn, while something else goes on. */
const hot = 1000

const rounds = 3

/** Milliseconds for which another process holds the lock. */
const locked = 1000

type Scope = keyof typeof scopes

/** What goes on while keys are verified. */
interface Meanwhile {
  readonly keyring: OpenKeyring<Scope>
  readonly file: string
  readonly secrets: readonly string[]
}

const works: Readonly<Record<string, (on: Meanwhile) => Promise<unknown>>> = {
  'a search that finds nothing': ({ keyring }) => keyring.list({ text: 'no key is called that' }),
  'a thousand keys in a list': ({ keyring }) => keyring.list({ limit: 1000 }),
  'ten thousand rows of usage': ({ keyring }) => keyring.usage({ from: 0, limit: 10_000 }),
  'the scopes of all keys': ({ keyring }) => keyring.lostScopes(),
  'a journal without such an actor': ({ keyring }) => keyring.journal({ actor: 'nobody' }),
  'usage of 20,000 keys': ({ keyring }) => keyring.flushUsage(),
  'a change, and the lock of another process': async ({ keyring, file }) => {
    const holder = fork(new URL('lock-holder.ts', import.meta.url), [file, String(locked)])
    await once(holder, 'message')
    await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
  },
  'a thousand new keys in one call': ({ keyring }) =>
    keyring.issueMany(Array.from({ length: 1000 }, () => ({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] }))),
}

const turn = (work: string): Line => ({
  name: `stall, ${work}: longest turn of the loop`,
  unit: 'ms',
  goal: { atMost: 20 },
})

const slowest: Line = { name: 'stall: p99 of verify meanwhile against without' }

/** How long anything but verifying holds the event loop, on a large database. */
export const stall: Benchmark = {
  method:
    `One process. A database of ${keys.toLocaleString('en')} keys and ${usageRows.toLocaleString('en')} rows of usage. ` +
    `Each turn of the event loop verifies one of ${hot.toLocaleString('en')} keys, while something else goes on. The figure is the ` +
    'longest turn by the CPU time of the thread, which other processes do not blur, with the longest by the clock beside it. ' +
    'The p99 of `verify` is taken from the same turns, and from as many without anything else.',

  lines: [...Object.keys(works).map(turn), slowest],

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'latchkey.db')
      const secrets = asSent(fillLarge(file, progress))
      const keyring = await openKeyring({ store: sqliteStore({ file }), scopes, usageInterval: 1_000_000_000 })
      const held: Record<string, Held[]> = {}
      const [meanwhile, without]: [number[], number[]] = [[], []]
      for (let round = -1; round < rounds; round++) {
        for (const [name, work] of Object.entries(works)) {
          for (const secret of secrets.slice(0, used)) await keyring.verify(secret)
          if (!name.startsWith('usage')) await keyring.flushUsage()
          globalThis.gc?.()
          const times: number[] = []
          const turns = await longestTurn(() => work({ keyring, file, secrets }), verifying(keyring, secrets, times))
          const alone: number[] = []
          const until = Date.now() + 300
          await longestTurn(async () => pause(until), verifying(keyring, secrets, alone))
          if (round < 0) continue
          ;(held[name] ??= []).push(turns)
          meanwhile.push(p99(times))
          without.push(p99(alone))
        }
        progress(`${round + 2} of ${rounds + 1} rounds`)
      }
      await keyring.close()
      return [
        ...Object.entries(held).map(([name, turns]) => ({
          ...turn(name),
          value: spreadOf(turns.map(({ processor }) => processor)),
          sides: `by the clock ${spreadOf(turns.map(({ clock }) => clock)).median.toFixed(1)} ms`,
        })),
        {
          ...slowest,
          value: ratioOf(meanwhile, without),
          sides: `meanwhile ${(spreadOf(meanwhile).median * 1000).toFixed(1)} µs, without ${(spreadOf(without).median * 1000).toFixed(1)} µs`,
        },
      ]
    }),
}

/** Verifies the next key, and notes in milliseconds how long that took. */
function verifying(keyring: OpenKeyring<Scope>, secrets: readonly string[], times: number[]): () => Promise<void> {
  let next = 0
  return async () => {
    const began = performance.now()
    const verdict = await keyring.verify(secrets[next++ % hot], { allOf: ['orders:read'] })
    times.push(performance.now() - began)
    if (!verdict.ok) throw new Error(`A key was refused: ${verdict.refusal.code}.`)
  }
}

function p99(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)] ?? Number.NaN
}

async function pause(until: number): Promise<void> {
  while (Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
}
