import type { Command } from 'commander'
import type { JournalHeadReport } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { iso } from '../input/when.ts'
import { putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put } from '../terminal/print.ts'

export function headCommand(journal: Command): void {
  keyringCommand(
    journal,
    'head',
    'Show the end of the journal, and with --url how far the server has checked it',
  ).action(async (options: TargetOptions) => {
    const report = await withKeyring(options, { mode: 'read' }, ({ keyring }) => keyring.journalHead())
    if (options.json === true) putJson(report)
    else put(textOf(report))
    if (!report.intact)
      throw new Failure('failed', `The journal is not intact: entry ${report.faulty} is ${report.fault}.`)
  })
}

function textOf({ head, checkedTo, checkedAt, intact }: JournalHeadReport): string {
  if (head === null) return 'The journal has no entries.'
  const end = `${head.seq}:${head.hash}`
  if (checkedAt === null) return `${end}\nNot checked by this process: latchkey journal verify checks all of it.`
  const found = intact ? `intact up to entry ${checkedTo}` : `checked up to entry ${checkedTo}`
  return `${end}\nIt is ${found}, as of ${iso(checkedAt)}.`
}
