import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { JournalHead, JournalReport, Keyring } from 'latchkey'
import type { Kept } from './journal-fill.ts'
import { fillJournal } from './journal-fill.ts'
import type { JournalTable, Row } from './journal-table.ts'
import { openJournalTable } from './journal-table.ts'
import { faults } from './journal-faults.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { tamperWithRows } from './row-tamper.ts'
import { inScratchFolder } from './scratch-folder.ts'
import { forgeries, tamperings } from './tampering.ts'

/** How long the journals are, and how often each is taken: a page of the check is a thousand entries. */
const journals = [
  { entries: 6, weight: 35 },
  { entries: 60, weight: 55 },
  { entries: 1000, weight: 5 },
  { entries: 2100, weight: 5 },
] as const

/** After how many tamperings the journal is checked as it is, and grows by a change. */
const stretch = 20

/** A keyring and, behind its back, the table of its journal. */
interface Target extends Kept {
  readonly table: JournalTable
  readonly weight: number
  /** As it was written. */
  rows: readonly Row[]
}

/** The counts for one kind of tampering. */
interface Counter {
  done: number
  found: number
  /**
   * Tamperings that made the check fail with an error; they count as found, because an unreadable journal is not
   * intact.
   */
  thrown: number
}

export const proof = defineProof({
  promise:
    'A journal that was tampered with is found out, rows that are not what it says are named, and others are not',
  takes: 'about a minute',
  sizes: { n: 10_000, rows: 10_000 },
  faults,
  faultSizes: { n: 300, rows: 150 },

  async prove({ sizes: { n, rows }, seed, progress }) {
    return inScratchFolder('journal-tamper', async (folder) => {
      const random = seeded(seed)
      const targets: Target[] = []
      for (const { entries, weight } of journals) {
        const file = join(folder, `${entries}.db`)
        const kept = await fillJournal({ file, entries, random })
        const table = openJournalTable(file)
        targets.push({ ...kept, table, weight, rows: table.read() })
      }
      const counters: Record<string, Counter> = {}
      const count = { controls: 0, falseAlarms: 0, misplaced: 0, forgeriesNotWhole: 0 }
      const weighted = targets.flatMap((target) => Array.from({ length: target.weight }, () => target))

      for (let done = 0; done < n; done++) {
        const target = random.pick(weighted)
        const kind = random.pick([...Object.keys(tamperings), 'forgery'])
        const counter = (counters[kind] ??= { done: 0, found: 0, thrown: 0 })
        const told = kind === 'forgery' ? await forge(random, target) : await tamper(random, target, kind)
        counter.done++
        if (told.found) counter.found++
        else progress(`not found: ${kind}, ${told.name}, in ${target.rows.length} entries`)
        if (told.thrown) counter.thrown++
        if (told.misplaced) {
          count.misplaced++
          progress(`found in the wrong place: ${kind}, ${told.name}`)
        }
        if (told.looksBroken) count.forgeriesNotWhole++

        if (done % stretch === 0) {
          count.controls += 3
          count.falseAlarms += await control(random, target)
        }
        if ((done + 1) % 1000 === 0) progress(`${done + 1} of ${n} journals tampered with`)
      }
      for (const { table, keyring } of targets) {
        table.close()
        await keyring.close()
      }

      const byRows = await tamperWithRows({ n: rows, random, folder, progress })

      const all = Object.values(counters)
      const sum = (value: (counter: Counter) => number): number =>
        all.reduce((total, counter) => total + value(counter), 0)
      return {
        figures: {
          notFound: sum(({ done, found }) => done - found),
          foundByAnError: sum(({ thrown }) => thrown),
          foundInTheWrongPlace: count.misplaced,
          falseAlarms: count.falseAlarms,
          controls: count.controls,
          forgeriesNotWhole: count.forgeriesNotWhole,
          rowsNotFound: byRows.notFound,
          rowsNotNamed: byRows.notNamed,
          rowsWronglyNamed: byRows.wronglyNamed,
          rowsFalseAlarms: byRows.falseAlarms,
          rowsControls: byRows.controls,
          rowsEdited: byRows.edited,
          tampered: sum(({ done }) => done),
          ...Object.fromEntries(Object.entries(counters).map(([kind, { done }]) => [`tampered: ${kind}`, done])),
        },
        required: {
          notFound: { is: 0 },
          foundInTheWrongPlace: { is: 0 },
          falseAlarms: { is: 0 },
          controls: { atLeast: 1 },
          // Otherwise the check found a mistake in our forging, not the forgery.
          forgeriesNotWhole: { is: 0 },
          tampered: { is: n },
          rowsNotFound: { is: 0 },
          rowsNotNamed: { is: 0 },
          rowsWronglyNamed: { is: 0 },
          rowsFalseAlarms: { is: 0 },
          rowsControls: { atLeast: 1 },
          rowsEdited: { is: rows },
        },
        details: { rowsByKind: byRows.byKind },
      }
    })
  },
})

/** The result of a check of one tampering. */
interface Told {
  readonly name: string
  readonly found: boolean
  readonly thrown?: boolean
  readonly misplaced?: boolean
  readonly looksBroken?: boolean
}

async function tamper(random: Random, target: Target, kind: string): Promise<Told> {
  const { name, rows, places } = changed(random, target.rows, tamperings[kind] ?? {})
  // Sometimes with a checkpoint: they must be found without one too.
  const checkpoint = random.chance(0.2) ? headOf(random.pick(target.rows)) : undefined
  return withRows(target, rows, async () => {
    const report = await check(target.keyring, checkpoint)
    if (report === 'thrown') return { name, found: true, thrown: true }
    const misplaced = !report.intact && (report.fault === 'rows' || !isNear(report.at, places, target.rows.length))
    return { name, found: !report.intact, misplaced }
  })
}

/** Whether a place is one that was tampered with, as far as a check can see that. */
function isNear(at: number, places: ReadonlySet<number>, end: number): boolean {
  // A changed entry that fits its own hash is seen in the one behind it; one before the first, in the first.
  if (places.has(at) || places.has(at - 1)) return true
  // Behind the end, the first number that is missing.
  return at === end + 1 && Math.max(...places) > end
}

async function forge(random: Random, target: Target): Promise<Told> {
  const { name, rows, places } = changed(random, target.rows, forgeries)
  // Noted when the journal was as it had been written, and not before the forgery.
  const checkpoint = headOf(random.pick(target.rows.slice(Math.min(...places) - 1)))
  const undo = target.table.rewind(rows.length)
  try {
    return await withRows(target, rows, async () => {
      const [unchecked, atCheckpoint] = [await check(target.keyring), await check(target.keyring, checkpoint)]
      return {
        name,
        found: atCheckpoint === 'thrown' || !atCheckpoint.intact,
        thrown: atCheckpoint === 'thrown',
        looksBroken: unchecked === 'thrown' || !unchecked.intact,
      }
    })
  } finally {
    undo()
  }
}

/**
 * How often an untampered journal was not intact: as it is, rewritten without a change, and longer than at its
 * checkpoint.
 */
async function control(random: Random, target: Target): Promise<number> {
  const checkpoint = headOf(random.pick(target.rows))
  const reports = [await check(target.keyring)]
  target.table.touch()
  reports.push(await check(target.keyring, checkpoint))
  await target.grow()
  reports.push(await check(target.keyring, checkpoint))
  target.rows = target.table.read()
  return reports.filter((report) => report === 'thrown' || !report.intact).length
}

/** Tampers with rows until they are others. `places` are the numbers at which they are; 0 stands for all before the first. */
function changed(
  random: Random,
  rows: readonly Row[],
  ways: (typeof tamperings)[string],
): { readonly name: string; readonly rows: readonly Row[]; readonly places: ReadonlySet<number> } {
  for (;;) {
    const name = random.pick(Object.keys(ways))
    const others = ways[name]?.(random, rows) ?? rows
    const [before, after] = [rows, others].map((some) => new Map(some.map((row) => [row.seq, row])))
    const numbers = [...rows, ...others].map(({ seq }) => seq)
    const differing = numbers.filter((seq) => !isDeepStrictEqual(before?.get(seq), after?.get(seq)))
    if (differing.length > 0) return { name, rows: others, places: new Set(differing.map((seq) => Math.max(0, seq))) }
  }
}

async function withRows(target: Target, rows: readonly Row[], use: () => Promise<Told>): Promise<Told> {
  target.table.replace(target.rows, rows)
  try {
    return await use()
  } finally {
    target.table.replace(rows, target.rows)
  }
}

async function check(keyring: Keyring, checkpoint?: JournalHead): Promise<JournalReport | 'thrown'> {
  try {
    return await keyring.verifyJournal(checkpoint === undefined ? {} : { checkpoint })
  } catch {
    return 'thrown'
  }
}

function headOf({ seq, hash }: Row): JournalHead {
  return { seq, hash: String(hash) }
}
