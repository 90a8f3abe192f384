import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { JournalReport, Keyring } from 'latchkey'
import type { Kept } from './journal-fill.ts'
import { fillJournal } from './journal-fill.ts'
import type { Random } from './random.ts'
import type { RowTables, Rows, TableRow, TableValue } from './row-tables.ts'
import { openRowTables } from './row-tables.ts'
import type { Known } from './row-tampering.ts'
import { rowTamperings } from './row-tampering.ts'

/** How long the journals are, and how often the rows beside each are taken. */
const journals = [
  { entries: 12, weight: 45 },
  { entries: 80, weight: 50 },
  { entries: 700, weight: 5 },
] as const

/** After how many edits the rows are checked as they are, and change by a verb. */
const stretch = 20

/** Rows that are remembered, of different times. */
const remembered = 12

/** A keyring and, behind its back, its tables. */
interface Target extends Kept {
  readonly tables: RowTables
  readonly weight: number
  readonly past: Rows[]
  /** As verbs have written them. */
  now: Rows
}

/** The outcome for rows that were changed by SQL. */
export interface RowFindings {
  edited: number
  notFound: number
  /** Found, but without the right key or owner. */
  notNamed: number
  /** Keys and owners that were named although they were not changed. */
  wronglyNamed: number
  falseAlarms: number
  controls: number
  readonly byKind: Record<string, number>
}

/** Changes keys, secrets and owners by SQL `n` times, each time on rows that are what the journal says. */
export async function tamperWithRows({
  n,
  random,
  folder,
  progress,
}: {
  n: number
  random: Random
  folder: string
  progress: (line: string) => void
}): Promise<RowFindings> {
  const found: RowFindings = {
    edited: 0,
    notFound: 0,
    notNamed: 0,
    wronglyNamed: 0,
    falseAlarms: 0,
    controls: 0,
    byKind: {},
  }
  const targets: Target[] = []
  for (const { entries, weight } of journals) {
    const file = join(folder, `rows-${entries}.db`)
    const kept = await fillJournal({ file, entries, random })
    const tables = openRowTables(file)
    targets.push({ ...kept, tables, weight, past: [], now: tables.read() })
  }
  const weighted = targets.flatMap((target) => Array.from({ length: target.weight }, () => target))
  for (; found.edited < n; found.edited++) {
    const target = random.pick(weighted)
    if (found.edited % stretch === 0) await control(target, found)
    const kind = random.pick(Object.keys(rowTamperings))
    const { name, rows } = tamper(random, target, kind)
    const touched = differences(target.now, rows)
    const report = await check(target.keyring)
    target.tables.replace(rows, target.now)
    found.byKind[kind] = (found.byKind[kind] ?? 0) + 1
    const what = `${kind}, ${name}: ${[...touched].slice(0, 3).join(', ')}`
    if (report !== 'thrown' && report.intact) {
      found.notFound++
      progress(`rows not found: ${what}`)
      continue
    }
    // A row that is of later than the end of the journal is found as a journal that was cut, and named all the same.
    const { rows: named = [], more = false } = report === 'thrown' ? {} : report
    const subjects = new Set(named.map(({ subject }) => subject))
    if (!more && ![...touched].every((subject) => subjects.has(subject))) {
      found.notNamed++
      progress(`rows not named: ${what}: ${report === 'thrown' ? report : report.fault}`)
    }
    for (const subject of subjects) {
      if (touched.has(subject)) continue
      found.wronglyNamed++
      progress(`rows named that nobody touched: ${what}: ${subject}`)
    }
    if ((found.edited + 1) % 1000 === 0) progress(`${found.edited + 1} of ${n} times rows were changed by SQL`)
  }
  for (const { tables, keyring } of targets) {
    tables.close()
    await keyring.close()
  }
  return found
}

/** Changes rows until they are others, and writes them. */
function tamper(random: Random, target: Target, kind: string): { readonly name: string; readonly rows: Rows } {
  const known: Known = { now: target.now, past: target.past }
  for (;;) {
    const ways = rowTamperings[kind] ?? {}
    const name = random.pick(Object.keys(ways))
    const rows = ways[name]?.(random, known) ?? target.now
    if (differences(target.now, rows).size === 0) continue
    try {
      target.tables.replace(target.now, rows)
      return { name, rows }
    } catch {
      // The table refuses some changes, such as two rows of one id, or a missing value.
    }
  }
}

/** Checks rows that only verbs have changed, now and after another verb. */
async function control(target: Target, found: RowFindings): Promise<void> {
  for (const grow of [false, true]) {
    if (grow) await target.grow()
    const report = await check(target.keyring)
    found.controls++
    if (report === 'thrown' || !report.intact) found.falseAlarms++
  }
  target.past.push(target.now)
  if (target.past.length > remembered) target.past.shift()
  target.now = target.tables.read()
}

async function check(keyring: Keyring): Promise<JournalReport | 'thrown'> {
  try {
    return await keyring.verifyJournal({ rows: true })
  } catch {
    return 'thrown'
  }
}

/** The keys and owners that are not what they were, as the journal names them. */
function differences(before: Rows, after: Rows): ReadonlySet<string> {
  const [one, other] = [subjectsIn(before), subjectsIn(after)]
  const names = new Set([...one.keys(), ...other.keys()])
  return new Set([...names].filter((name) => !isDeepStrictEqual(one.get(name), other.get(name))))
}

/** The rows of each key and owner, by its name in the journal. */
function subjectsIn({ keys, secrets, owners }: Rows): ReadonlyMap<string, unknown> {
  const byPlace = Map.groupBy(secrets, ({ place }) => place)
  const found = new Map<string, unknown>()
  for (const key of keys) {
    const own = (byPlace.get(key['place'] ?? null) ?? []).map(meaningOf)
    found.set(String(key['id']), [meaningOf(key), ...own].map((row) => JSON.stringify(row)).toSorted())
  }
  for (const owner of owners) found.set(`owner:${String(owner['owner'])}`, meaningOf(owner))
  return found
}

/** A row without irrelevant columns, and with its JSON parsed. */
function meaningOf(row: TableRow): object {
  const { last_used_at: _, place: _1, ...told } = row
  return Object.fromEntries(Object.entries(told).map(([column, value]) => [column, parsed(value)]))
}

function parsed(value: TableValue): unknown {
  if (typeof value !== 'string' || !/^(?:[[{]|null$)/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
