import { join } from 'node:path'
import type { OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Benchmark, Figure, Line } from './figure.ts'
import { scopes } from './fill.ts'
import { fillLarge, keys, usageRows } from './large.ts'
import { longestTurn } from './loop.ts'
import { shuffled, spreadOf } from './measure.ts'
import type { Call } from './reading-calls.ts'
import { calls } from './reading-calls.ts'
import type { Try } from './reading-scene.ts'
import { recordRefusals, triesOf } from './reading-scene.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

/** How often each call is made with the rights of each admin key, if that takes no more minutes than these. */
const times = 40
const longest = 10

/** What reads everything, in pages or in the thread that reads. */
const walks: Readonly<Record<string, (keyring: OpenKeyring) => Promise<unknown>>> = {
  'the journal is verified': async (keyring) => keyring.verifyJournal(),
  'all keys are listed': async (keyring) => walked((page) => keyring.list({ ...page, limit: 1000 })),
  'usage of a month is read': async (keyring) =>
    walked((page) => keyring.usage({ ...page, from: 0, to: Date.now(), limit: 10_000 })),
}

const lineOf = ({ name }: Call): Line => ({ name: `reading, ${name}`, unit: 'ms', goal: { atMost: 100 } })

const turn = (walk: string): Line => ({
  name: `reading, ${walk}: longest turn of the loop`,
  unit: 'ms',
  goal: { atMost: 20 },
})

const update: Line = { name: 'reading, a database of the seventh version is brought up to date: CPU', unit: 's' }

/** How long those wait who look after a million keys. */
export const reading: Benchmark = {
  method:
    `One process. A database of ${keys.toLocaleString('en')} keys of every kind, half of them of one owner, and ` +
    `${usageRows.toLocaleString('en')} rows of usage in 30 days: written in the tables of the seventh version, and brought ` +
    'up to date. There are as many refusals as are kept. Each call is made by an admin key that sees everything, by one ' +
    `that is bound to the largest owner, and by one that is bound to an environment, ${times} times each (n; fewer after ` +
    `${longest} minutes), all in random order. ` +
    'The value is the p95 by the clock of the slowest of the three, the quartiles are those of its calls, and ' +
    'the p95 by the CPU time of the process, which others do not blur, is beside it. Where everything is read, it is ' +
    'the longest turn of the event loop by the CPU time of the thread.',

  lines: [...calls.map(lineOf), ...Object.keys(walks).map(turn), update],

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'latchkey.db')
      fillLarge(file, progress)
      progress('bringing it up to date')
      const before = processorTime()
      const store = sqliteStore({ file })
      const seconds = (processorTime() - before) / 1000
      const keyring = await openKeyring({ store, scopes, usageInterval: 1_000_000_000, storeTimeout: 60_000 })
      progress('refusals')
      const requestId = await recordRefusals(keyring, store)
      const figures = await readingOf(keyring, requestId, progress)
      await keyring.close()
      return [...figures, { ...update, value: spreadOf([seconds]), sides: `${store.migrated} steps` }]
    }),
}

/** Measures all calls and walks. */
export async function readingOf(
  keyring: OpenKeyring,
  requestId: string,
  progress: (line: string) => void,
): Promise<readonly Figure[]> {
  progress('admin keys, and where deep pages begin')
  const measured = (await triesOf(calls, keyring, requestId)).map((made) => ({ ...made, clock: [], processor: [] }))
  const until = performance.now() + longest * 60_000
  for (let round = -1; round < times && performance.now() < until; round++) {
    for (const one of shuffled(measured)) await measure(one, round)
    if (round % 10 === 9) progress(`${round + 1} of ${times} rounds`)
  }
  const figures: Figure[] = calls.map((call) => {
    const of = measured.filter((one) => one.call === call)
    const [slowest = { clock: [] }] = of.toSorted((one, other) => p95(other.clock) - p95(one.clock))
    const sides = of.map(({ role, clock, processor }) => {
      return `${role} p50 ${spreadOf(clock).median.toFixed(1)}, p95 ${p95(clock).toFixed(1)}, CPU ${p95(processor).toFixed(1)}`
    })
    return {
      ...lineOf(call),
      value: { ...spreadOf(slowest.clock), median: p95(slowest.clock) },
      sides: `n ${slowest.clock.length}; ${sides.join('; ')}`,
    }
  })
  for (const [name, walk] of Object.entries(walks)) {
    progress(name)
    const began = performance.now()
    const { clock, processor } = await longestTurn(async () => walk(keyring))
    const sides = `by the clock ${clock.toFixed(1)} ms; all of it ${((performance.now() - began) / 1000).toFixed(0)} s`
    figures.push({ ...turn(name), value: spreadOf([processor]), sides })
  }
  return figures
}

async function measure(
  { ask, clock, processor }: Try & { readonly clock: number[]; readonly processor: number[] },
  round: number,
): Promise<void> {
  const [began, spent] = [performance.now(), processorTime()]
  await ask()
  if (round < 0) return
  clock.push(performance.now() - began)
  processor.push(processorTime() - spent)
}

async function walked(
  next: (page: { readonly cursor?: string }) => Promise<{ readonly cursor: string | null }>,
): Promise<void> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    ;({ cursor } = await next(cursor === undefined ? {} : { cursor }))
  }
}

function p95(measurements: readonly number[]): number {
  return measurements.toSorted((one, other) => one - other)[Math.floor(measurements.length * 0.95)] ?? Number.NaN
}

/** Of the process with its threads, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
