import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { ChangeOptions } from 'latchkey'
import { fileOf } from '../store.ts'
import type { TargetOptions } from './target.ts'
import { common, mustExist, serverOf, settingOptions, settingsOf, storeSettings } from './target.ts'
import { Failure } from './exit.ts'
import { count } from './input/flags.ts'
import { given } from './input/given.ts'

/** A command with a sentence of help, in its place among its siblings. */
export function commandIn(parent: Command, usage: string, summary: string): Command {
  return parent.command(usage).description(summary).helpCommand(false).allowExcessArguments(false)
}

/** A command on a keyring: on the store, or on a server with `--url`. */
export function keyringCommand(parent: Command, usage: string, summary: string): Command {
  const command = commandIn(parent, usage, summary)
  const url = 'a running server instead of the store (LATCHKEY_URL), with the key in LATCHKEY_ADMIN_KEY'
  const options = [
    new Option('--json', 'JSON for programs: one document, or one a line for lists'),
    new Option('--url <address>', url),
    new Option('--insecure-http', 'lets the admin key go over http to another machine, for all on the way to read'),
    ...settingOptions(storeSettings),
  ]
  for (const option of options) command.addOption(common(option))
  return command
}

/** A command on the file of the database itself, which no server does for others. */
export function databaseCommand(parent: Command, usage: string, summary: string): Command {
  const command = commandIn(parent, usage, summary)
  for (const option of settingOptions(['store'])) command.addOption(option)
  return command.option('--json', 'JSON for programs')
}

/**
 * The address of the store that such a command works on.
 *
 * @param what - what it does, for the message to those who have named a server.
 * @throws Failure `usage`, `unavailable` where there is none; SettingsError.
 */
export function databaseOf(options: TargetOptions, what: string): string {
  if (serverOf(options) !== undefined)
    throw new Failure('usage', `${what} beside the database, not through a server: name it with --store.`)
  const { store } = settingsOf(options)
  mustExist(fileOf(store), options)
  return store
}

/** Options of every command that changes something. */
export interface ChangingOptions {
  readonly actor?: string
  readonly note?: string
  readonly ifRevision?: number
  readonly idempotencyKey?: string
}

/** What every command takes that changes what is there. */
export function changingOptions(command: Command): Command {
  return onceOption(actorOption(command))
    .option('--note <text>', 'why, for those who read the journal')
    .option('--if-revision <number>', 'only if nobody has changed it since it was at this revision', count)
}

export function onceOption(command: Command): Command {
  return command.option(
    '--idempotency-key <text>',
    'makes the command happen once, however often it is given within a day',
  )
}

export function actorOption(command: Command): Command {
  return command.option(
    '--actor <name>',
    'who does it, for the journal; your user name. With --url it is the admin key',
  )
}

/** For the commands that a new installation begins with. */
export function createOption(command: Command): Command {
  return command.option('--create', 'makes the database if there is none; without it a mistyped path is an error')
}

/** The same, as the verbs of a keyring take them. */
export function changeOptionsOf({ actor, note, ifRevision, idempotencyKey }: ChangingOptions): ChangeOptions {
  return {
    actor: actor ?? userName(),
    ...given({ note, ifRevision, idempotencyKey }),
  }
}

/** Who works here. A container may run under a number that has no name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
