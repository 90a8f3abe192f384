import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { JournalHead, JournalReport, RowFault } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { given } from '../input/given.ts'
import { putReport } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put } from '../terminal/print.ts'
import { counted, startProgress } from '../terminal/progress.ts'

interface Options extends TargetOptions {
  readonly checkpoint?: JournalHead
  readonly anchor?: JournalHead
  readonly rows?: boolean
}

export function verifyCommand(journal: Command): void {
  keyringCommand(journal, 'verify', 'checks the whole journal: numbers, hashes, chain')
    .option(
      '--checkpoint <seq:hash>',
      'also that it still has this end, noted earlier and kept elsewhere',
      checkpointOf,
    )
    // The name that it had before: notes and scripts of people have it.
    .addOption(new Option('--anchor <seq:hash>').argParser(checkpointOf).hideHelp())
    .option('--rows', 'also that keys, their secrets and owners are what it says: what was changed by hand is named')
    .action(async (options: Options) => {
      const { anchor, checkpoint = anchor, rows, json } = options
      const report = await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        patiently('Checking the journal', keyring.verifyJournal(given({ checkpoint, rows }))),
      )
      if (json === true) putReport(report)
      else if (report.intact) put(intactText(report))
      if (!report.intact) throw new Failure('failed', faultText(report))
    })
}

function checkpointOf(text: string): JournalHead {
  const [, seq = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === '')
    throw new InvalidArgumentError('It must be a number, a colon and 64 hexadecimal digits, as verify prints it.')
  return { seq: Number(seq), hash }
}

/** What is said of a journal that is whole: its end is what is to be noted elsewhere. */
export function intactText({ entries, head, compared }: Extract<JournalReport, { intact: true }>): string {
  const end = head === undefined ? '' : ` It ends in\n${head.seq}:${head.hash}`
  const rows =
    compared === undefined ? '' : ` ${counted(compared, 'key or owner is', 'keys and owners are')} what it says.`
  return `The journal is whole: ${counted(entries, 'entry', 'entries')}.${rows}${end}`
}

const faults: Readonly<Record<Exclude<Broken['fault'], 'rows'>, string>> = {
  missing: 'is missing',
  altered: 'is not what was written',
  unchained: 'does not follow from the one before',
  cut: 'and what followed were cut off',
  rewritten: 'is not the one that the checkpoint names: the journal was rewritten',
}

const rowFaults: Readonly<Record<RowFault['fault'], string>> = {
  altered: 'was changed by something else than a command, or one of its secrets was',
  added: 'was added by something else than a command',
  missing: 'was deleted',
  untold: 'is of an older version, and the journal does not say how it stood: latchkey migrate',
}

type Broken = Extract<JournalReport, { intact: false }>

/** Whether nothing is known to be wrong, and the journal does not say of some rows how they stood. */
export function isUntold(report: Broken): boolean {
  return report.fault === 'rows' && report.rows.every(({ fault }) => fault === 'untold')
}

/** Rows that are named to people; programs are told of more. */
const mostNamed = 20

/** What is said of a journal that is not whole, or of rows that are not what it says. */
export function faultText(report: Broken): string {
  const { entries } = report
  if (report.fault !== 'rows') {
    const sound = `${counted(entries, 'entry before it is', 'entries before they are')} sound`
    const text = `The journal is not whole: entry ${report.at} ${faults[report.fault]}. ${sound}.`
    const { rows = [], more = false } = report
    return rows.length === 0
      ? text
      : [text, 'Rows are not what is left of it says:', ...namedRows(rows, more)].join('\n')
  }
  return ['The journal is whole, but rows are not what it says:', ...namedRows(report.rows, report.more)].join('\n')
}

function namedRows(rows: readonly RowFault[], more: boolean): readonly string[] {
  const lines = rows.slice(0, mostNamed).map(({ subject, fault }) => `${subject} ${rowFaults[fault]}.`)
  const others = more ? 'more' : String(rows.length - mostNamed)
  const rest = rows.length > mostNamed ? [`And ${others} others; --json names up to a thousand.`] : []
  return [...lines, ...rest]
}

/** Says while something takes long that it is still going on. */
export async function patiently<Value>(what: string, work: Promise<Value>): Promise<Value> {
  const progress = startProgress()
  const began = performance.now()
  const ticks = setInterval(() => progress.at(`${what} … ${Math.round((performance.now() - began) / 1000)} s`), 500)
  try {
    return await work
  } finally {
    clearInterval(ticks)
    progress.end()
  }
}
