import { Command, Help } from 'commander'
import { backupCommand } from './backup.ts'
import { commandIn } from './command.ts'
import { completionCommand } from './completion.ts'
import { doctorCommand } from './doctor.ts'
import { exits } from './exit.ts'
import { healthCommand } from './health.ts'
import { showCommand as journalShow } from './journal/show.ts'
import { verifyCommand as journalVerify } from './journal/verify.ts'
import { changeCommand } from './keys/change.ts'
import { disableCommand } from './keys/disable.ts'
import { enableCommand } from './keys/enable.ts'
import { importCommand } from './keys/import.ts'
import { issueCommand } from './keys/issue.ts'
import { listCommand } from './keys/list.ts'
import { retireCommand } from './keys/retire.ts'
import { revokeCommand } from './keys/revoke.ts'
import { rotateCommand } from './keys/rotate.ts'
import { showCommand } from './keys/show.ts'
import { changeCommand as ownersChange } from './owners/change.ts'
import { showCommand as ownersShow } from './owners/show.ts'
import { migrateCommand } from './migrate.ts'
import { refusalCommand } from './refusal.ts'
import { serveCommand } from './serve.ts'
import { commonLast } from './target.ts'
import { usageCommand } from './usage.ts'
import { verifyCommand } from './verify.ts'

const exitTable = Object.values(exits)
  .map(({ code, means }) => `  ${String(code).padStart(3)}  ${means}`)
  .join('\n')

/** All commands, in the order in which help shows them. */
export function buildProgram(version: string): Command {
  const program = new Command('latchkey')
    .description('API keys for your HTTP API: the server, and everything that happens to a key')
    .version(version, '-v, --version', 'the version')
    .helpOption('-h, --help', 'this help')
    .helpCommand(false)
    // Faults are told in one place, by main.ts.
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({
      visibleOptions: (command) => commonLast(new Help().visibleOptions(command)),
      // Headings in the order of what stands under them, too.
      groupItems: (_declared, shown, heading) => new Help().groupItems(shown, shown, heading),
    })
    .addHelpText('after', `\nExit codes:\n${exitTable}`)

  serveCommand(program)

  const keys = commandIn(program, 'keys', 'issue, list, show, change, rotate, revoke and import keys')
  for (const add of [issueCommand, listCommand, showCommand, changeCommand, rotateCommand, retireCommand]) add(keys)
  for (const add of [disableCommand, enableCommand, revokeCommand, importCommand]) add(keys)

  const owners = commandIn(program, 'owners', 'owners of keys: their state and shared limits')
  for (const add of [ownersShow, ownersChange]) add(owners)

  const journal = commandIn(program, 'journal', 'what was changed, and that nobody changed the record')
  for (const add of [journalShow, journalVerify]) add(journal)

  for (const add of [usageCommand, verifyCommand, refusalCommand, doctorCommand, healthCommand]) add(program)
  for (const add of [backupCommand, migrateCommand, completionCommand]) add(program)
  return program
}
