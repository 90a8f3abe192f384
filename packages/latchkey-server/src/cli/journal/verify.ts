import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { JournalHead } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { defined } from '../input/defined.ts'
import { putReport } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put } from '../terminal/print.ts'
import { patiently } from '../terminal/progress.ts'
import { faultText, intactText } from './report.ts'

interface Options extends TargetOptions {
  readonly checkpoint?: JournalHead
  readonly anchor?: JournalHead
  readonly rows?: boolean
}

export function verifyCommand(journal: Command): void {
  keyringCommand(journal, 'verify', 'Verify the whole journal: numbers, hashes and chain')
    .option(
      '--checkpoint <seq:hash>',
      'Also check that it still contains this checkpoint, noted earlier and kept elsewhere',
      checkpointOf,
    )
    // The old name: it still stands in people's notes and scripts.
    .addOption(new Option('--anchor <seq:hash>').argParser(checkpointOf).hideHelp())
    .option('--rows', 'Also compare keys, secrets and owners with it, and name those changed outside Latchkey')
    .action(async (options: Options) => {
      const { anchor, checkpoint = anchor, rows, json } = options
      const report = await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        patiently('Checking the journal', keyring.verifyJournal(defined({ checkpoint, rows }))),
      )
      if (json === true) putReport(report)
      else if (report.intact) put(intactText(report))
      if (!report.intact) throw new Failure('failed', faultText(report))
    })
}

function checkpointOf(text: string): JournalHead {
  const [, seq = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (hash === '')
    throw new InvalidArgumentError(
      'It must be a number, a colon and 64 hexadecimal digits, as journal verify prints them.',
    )
  return { seq: Number(seq), hash }
}
