import { Command, Help } from 'commander'
import { backupCommand } from './backup.ts'
import { commandIn } from './command.ts'
import { completionCommand } from './completion.ts'
import { doctorCommand } from './doctor.ts'
import { exits } from './exit.ts'
import { healthCommand } from './health.ts'
import { rotateCommand as identityRotate } from './identity/rotate.ts'
import { headCommand as journalHead } from './journal/head.ts'
import { showCommand as journalShow } from './journal/show.ts'
import { verifyCommand as journalVerify } from './journal/verify.ts'
import { changeCommand } from './keys/change.ts'
import { countCommand } from './keys/count.ts'
import { disableCommand } from './keys/disable.ts'
import { enableCommand } from './keys/enable.ts'
import { eraseCommand } from './keys/erase.ts'
import { importCommand } from './keys/import.ts'
import { issueCommand } from './keys/issue.ts'
import { listCommand } from './keys/list.ts'
import { retireCommand } from './keys/retire.ts'
import { revokeCommand } from './keys/revoke.ts'
import { rotateCommand } from './keys/rotate.ts'
import { showCommand } from './keys/show.ts'
import { changeCommand as ownersChange } from './owners/change.ts'
import { eraseCommand as ownersErase } from './owners/erase.ts'
import { listCommand as ownersList } from './owners/list.ts'
import { showCommand as ownersShow } from './owners/show.ts'
import { migrateCommand } from './migrate.ts'
import { listCommand as refusalsList } from './refusals/list.ts'
import { purgeCommand } from './purge.ts'
import { showCommand as refusalsShow } from './refusals/show.ts'
import { scrubCommand } from './scrub.ts'
import { serveCommand } from './serve.ts'
import { commonLast } from './target.ts'
import { wrapped } from './terminal/width.ts'
import { usageCommand } from './usage.ts'
import { verifyCommand } from './verify.ts'
import { whyCommand } from './why.ts'
import { whoamiCommand } from './whoami.ts'

/** The list of exit codes, in lines of this width. */
function exitTable(width: number): string {
  return Object.values(exits)
    .map(({ code, means }) => `  ${String(code).padStart(3)}  ${wrapped(means, width - 7).join('\n       ')}`)
    .join('\n')
}

/** All commands, in the order of the help. */
export function buildProgram(version: string): Command {
  const program = new Command('latchkey')
    .description('API keys for HTTP APIs: run the server, and manage keys, owners and the journal')
    .version(version, '-v, --version', 'Show the version')
    .helpOption('-h, --help', 'Show this help')
    .helpCommand(false)
    // Errors are printed in one place, by run.ts.
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({
      visibleOptions: (command) => commonLast(new Help().visibleOptions(command)),
      // The headings are in the order of their options, too.
      groupItems: (_declared, shown, heading) => new Help().groupItems(shown, shown, heading),
    })
    .addHelpText('after', ({ command }) => {
      return `\nExit codes:\n${exitTable(command.configureOutput().getOutHelpWidth?.() ?? 80)}`
    })

  serveCommand(program)

  const keys = commandIn(program, 'keys', 'Issue, list, count, show, change, rotate, revoke, erase and import keys')
  for (const add of [issueCommand, listCommand, countCommand, showCommand, changeCommand, rotateCommand]) add(keys)
  for (const add of [retireCommand, disableCommand, enableCommand, revokeCommand]) add(keys)
  for (const add of [eraseCommand, importCommand]) add(keys)

  const owners = commandIn(
    program,
    'owners',
    'List, show, change and erase owners of keys: their state, and the limits their keys share',
  )
  for (const add of [ownersList, ownersShow, ownersChange, ownersErase]) add(owners)

  const journal = commandIn(program, 'journal', 'Show and verify the journal: the audit log of every change')
  for (const add of [journalShow, journalHead, journalVerify]) add(journal)

  const refusals = commandIn(program, 'refusals', 'List refused calls, and explain why a call was refused')
  for (const add of [refusalsList, refusalsShow]) add(refusals)

  identityRotate(commandIn(program, 'identity', 'Make and rotate the keys that sign identities for services'))

  for (const add of [whyCommand, usageCommand, verifyCommand, whoamiCommand, doctorCommand, healthCommand]) add(program)
  for (const add of [backupCommand, purgeCommand, scrubCommand, migrateCommand, completionCommand]) add(program)
  return program
}
