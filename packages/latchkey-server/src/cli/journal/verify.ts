import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { JournalHead, JournalReport } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put, putJson } from '../terminal/print.ts'
import { counted, startProgress } from '../terminal/progress.ts'

interface Options extends TargetOptions {
  readonly anchor?: JournalHead
}

export function verifyCommand(journal: Command): void {
  keyringCommand(journal, 'verify', 'checks the whole journal: numbers, hashes, chain')
    .option('--anchor <seq:hash>', 'also that it still has this end, noted earlier and kept elsewhere', anchorOf)
    .action(async (options: Options) => {
      const { anchor, json } = options
      const report = await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        patiently('Checking the journal', keyring.verifyJournal(anchor === undefined ? {} : { anchor })),
      )
      if (json === true) putJson(report)
      else if (report.whole) put(wholeText(report))
      if (!report.whole) throw new Failure('failed', faultText(report))
    })
}

function anchorOf(text: string): JournalHead {
  const [, seq = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === '')
    throw new InvalidArgumentError('It must be a number, a colon and 64 hexadecimal digits, as verify prints it.')
  return { seq: Number(seq), hash }
}

/** What is said of a journal that is whole: its end is what is to be noted elsewhere. */
export function wholeText({ entries, head }: Extract<JournalReport, { whole: true }>): string {
  const end = head === undefined ? '' : ` It ends in\n${head.seq}:${head.hash}`
  return `The journal is whole: ${counted(entries, 'entry', 'entries')}.${end}`
}

const faults: Readonly<Record<Extract<JournalReport, { whole: false }>['fault'], string>> = {
  missing: 'is missing',
  altered: 'is not what was written',
  unchained: 'does not follow from the one before',
  cut: 'and what followed were cut off',
  rewritten: 'is not the one that the anchor names: the journal was rewritten',
}

/** What is said of a journal that is not whole. */
export function faultText({ entries, at, fault }: Extract<JournalReport, { whole: false }>): string {
  return `The journal is not whole: entry ${at} ${faults[fault]}. ${counted(entries, 'entry before it is', 'entries before it are')} sound.`
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
