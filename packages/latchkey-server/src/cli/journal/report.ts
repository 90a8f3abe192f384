import type { JournalReport, RowFault } from 'latchkey'
import { counted, grouped } from '../terminal/progress.ts'

type Intact = Extract<JournalReport, { intact: true }>
type Broken = Extract<JournalReport, { intact: false }>

/** The sentence on an intact journal, with the checkpoint to note elsewhere. */
export function intactText({ entries, head, compared }: Intact): string {
  const rows =
    compared === undefined ? '' : ` ${counted(compared, 'key or owner matches', 'keys and owners match')} it.`
  const end = head === undefined ? '' : ` Checkpoint:\n${head.seq}:${head.hash}`
  return `The journal is intact: ${counted(entries, 'entry', 'entries')}.${rows}${end}`
}

const faults: Readonly<Record<Exclude<Broken['fault'], 'rows'>, string>> = {
  missing: 'is missing',
  altered: 'was altered',
  unchained: 'does not follow from the entry before it',
  cut: 'and all after it were cut off',
  rewritten: 'differs from the checkpoint, so the journal was rewritten',
}

const rowFaults: Readonly<Record<RowFault['fault'], string>> = {
  altered: 'was changed outside Latchkey',
  added: 'was added outside Latchkey',
  missing: 'was deleted outside Latchkey',
  misfiled: 'has entries that are not in the journals of the owners it had: the index was changed outside Latchkey',
  unrecorded: 'was written by an older version, and the journal does not record it: run latchkey migrate',
}

/** Whether nothing is wrong, except that the journal lacks some rows that an older version wrote. */
export function isUntold(report: Broken): boolean {
  return report.fault === 'rows' && report.rows.every(({ fault }) => fault === 'unrecorded')
}

/** The sentences on a journal that is not intact, or on rows that differ from it. */
export function faultText(report: Broken): string {
  if (report.fault === 'rows')
    return ['The journal is intact, but rows differ from it:', ...namedRows(report.rows, report.more)].join('\n')
  const { at, entries, fault, rows = [], more = false } = report
  const before = entries === 0 ? '' : ` ${counted(entries, 'entry before it is', 'entries before it are')} intact.`
  const text = `The journal is not intact: entry ${at} ${faults[fault]}.${before}`
  return rows.length === 0 ? text : [text, 'Rows differ from what is left of it:', ...namedRows(rows, more)].join('\n')
}

/** How many rows a report names, for people and for programs. */
const mostNamed = { people: 20, programs: 1000 }

function namedRows(rows: readonly RowFault[], more: boolean): readonly string[] {
  const lines = rows.slice(0, mostNamed.people).map(({ subject, fault }) => {
    // A key is compared together with its secrets.
    const what = fault === 'altered' && !subject.startsWith('owner:') ? `${subject} or one of its secrets` : subject
    return `${what} ${rowFaults[fault]}.`
  })
  if (rows.length <= lines.length) return lines
  const others = more ? 'more than ' : ''
  return [
    ...lines,
    `And ${others}${grouped(rows.length - lines.length)} others; --json names up to ${grouped(mostNamed.programs)}.`,
  ]
}
