import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { ChangeOptions } from 'latchkey'
import { fileOf } from '../store.ts'
import type { TargetOptions } from './target.ts'
import { common, mustExist, serverOf, settingOptions, settingsOf, storeSettings } from './target.ts'
import { Failure } from './exit.ts'
import { count } from './input/flags.ts'
import { defined } from './input/defined.ts'

/** Adds a command. The list of commands shows the first sentence of its text. */
export function commandIn(parent: Command, usage: string, text: string): Command {
  const [inList = ''] = text.split('. ', 1)
  return parent.command(usage).description(text).summary(inList).helpCommand(false).allowExcessArguments(false)
}

/** Adds a command on a keyring: on the database, or with `--url` on a server. */
export function keyringCommand(parent: Command, usage: string, summary: string): Command {
  const command = commandIn(parent, usage, summary)
  const url = 'Use a running server instead of the database (LATCHKEY_URL). Its admin key comes from LATCHKEY_ADMIN_KEY'
  const options = [
    new Option('--json', 'Print JSON: one document, or for lists one a line'),
    new Option('--url <address>', url),
    new Option(
      '--insecure-http',
      'Send the admin key over http to another machine, where anyone on the way can read it',
    ),
    ...settingOptions(storeSettings),
  ]
  for (const option of options) command.addOption(common(option))
  return command
}

/** Adds a command on the database itself, which a server does not offer. */
export function databaseCommand(parent: Command, usage: string, summary: string): Command {
  const command = commandIn(parent, usage, summary)
  for (const option of settingOptions(['store'])) command.addOption(option)
  return command.option('--json', 'Print JSON')
}

/**
 * The address of the store that such a command works on.
 *
 * @param what - the name of the command, for the message.
 * @throws Failure `usage`, `unavailable` if there is no database; SettingsError.
 */
export function databaseOf(options: TargetOptions, what: string): string {
  if (serverOf(options) !== undefined)
    throw new Failure('usage', `${what} works on the database itself, not through a server. Name it with --store.`)
  const { store } = settingsOf(options)
  const file = fileOf(store)
  if (file !== undefined) mustExist(file, options)
  else if (ofFiles.has(what)) throw new Failure('usage', `${what} works on files. ${inPostgres}`)
  return store
}

/** What is done with files, and how it is done with PostgreSQL. */
const ofFiles: ReadonlySet<string> = new Set(['backup', 'scrub'])
const inPostgres = 'Use the tools of PostgreSQL: pg_dump makes a copy, and VACUUM FULL writes tables anew.'

/** Options of every command that changes something. */
export interface ChangingOptions {
  readonly actor?: string
  readonly note?: string
  readonly ifRevision?: number
  readonly idempotencyKey?: string
}

/** Adds the options of every command that changes something. */
export function changingOptions(command: Command): Command {
  return revisionOption(onceOption(actorOption(command)).option('--note <text>', 'Why, for readers of the journal'))
}

export function revisionOption(command: Command): Command {
  return command.option('--if-revision <number>', 'Only if nobody has changed it since this revision', count)
}

export function onceOption(command: Command): Command {
  return command.option('--idempotency-key <text>', 'Do this once, even if the command is repeated within a day')
}

export function actorOption(command: Command): Command {
  return command.option(
    '--actor <name>',
    'Who does this, for the journal (your user name; with --url always the admin key)',
  )
}

/** Adds `--create`, for the commands with which a new installation begins. */
export function createOption(command: Command): Command {
  return command.option('--create', 'Make the database if it does not exist. Without this, a mistyped path is an error')
}

/** These options as the verbs of a keyring take them. */
export function changeOptionsOf({ actor, note, ifRevision, idempotencyKey }: ChangingOptions): ChangeOptions {
  return {
    actor: actor ?? userName(),
    ...defined({ note, ifRevision, idempotencyKey }),
  }
}

/** The name of the user. A container may run under a user id without a name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
