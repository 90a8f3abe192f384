import type { Command } from 'commander'
import type { IssueOptions, KeyMembers, KeyPatch, Keyring, IdempotencyOptions } from 'latchkey'
import { adminEnvironment } from 'latchkey'
import { everyRight } from '../../first-admin-key.ts'
import { actorOption, createOption, keyringCommand, onceOption, userName } from '../command.ts'
import { Failure } from '../exit.ts'
import { keyFields } from '../key-fields.ts'
import { addKeyOptions, fieldsOf } from '../key-fields/options.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { handOver } from './hand-over.ts'

interface Options extends TargetOptions {
  readonly idempotencyKey?: string
  readonly environment?: string
  readonly actor?: string
  readonly admin?: boolean
  readonly create?: boolean
}

export function issueCommand(keys: Command): void {
  const command = keyringCommand(keys, 'issue', 'Issue a key, and print its secret once, alone on stdout')
  addKeyOptions(command).option(
    '--environment <name>',
    'Environment it is for (the first declared one, or live); admin for an admin key',
  )
  command.option('--admin', 'Issue an admin key that may do and grant everything; other flags narrow it')
  createOption(onceOption(actorOption(command))).action(async (options: Options) => {
    const fields = fieldsOf({ ...options })
    // Checked before the database is opened, so that the message is about the flags.
    mustHave(fields, options)
    if ('delegation' in fields && options.admin !== true && options.environment !== adminEnvironment)
      throw new Failure('usage', 'Only an admin key manages keys. Add --admin, or leave out the --give flags.')
    const issued = await withKeyring(options, { mode: 'write', create: options.create }, async ({ keyring }) =>
      keyring.issue(newKeyOf(fields, options, keyring)),
    )
    const { key } = issued
    const message = `Issued ${key.id} for ${key.owner} (${key.environment}): ${key.scopes.join(', ') || 'no scopes'}`
    await handOver({ ...issued, message, answer: issued, options })
  })
}

/** @throws Failure `usage` that names the required flags, if one is missing. */
function mustHave(fields: KeyPatch<string>, { admin = false }: Options): void {
  // --admin sets the scopes, and where none are declared a key needs none: that is known once the keyring is open.
  const needed = keyFields.filter(([member, { required }]) => required && !(admin && member === 'scopes'))
  if (needed.every(([member]) => member in fields || member === 'scopes')) return
  throw missing(
    needed.map(([, { options }]) => options[0].long ?? ''),
    admin,
  )
}

function missing(flags: readonly string[], admin: boolean): Failure {
  const named = [flags.slice(0, -1).join(', '), flags.at(-1)].filter((part) => part !== '').join(' and ')
  return new Failure('usage', `A new key needs ${named}${admin ? '' : ' (or --admin)'}.`)
}

/** The scopes of a key for which none were named: none, if none are declared. */
function unnamedScopes(keyring: Keyring, environment: string | undefined): readonly [] {
  if (environment === adminEnvironment || Object.keys(keyring.scopes).length > 0) throw missing(['--scope'], false)
  return []
}

function newKeyOf(
  fields: KeyPatch<string>,
  options: Options,
  keyring: Keyring,
): IssueOptions<string> & IdempotencyOptions {
  const { environment, actor = userName(), admin = false, idempotencyKey } = options
  const where = environment ?? (admin ? adminEnvironment : undefined)
  return {
    ...(admin ? everyRight(keyring) : {}),
    ...(admin || 'scopes' in fields ? {} : { scopes: unnamedScopes(keyring, environment) }),
    // mustHave has checked that nothing required is missing.
    ...(fields as KeyMembers<string>),
    actor,
    idempotencyKey,
    ...(where === undefined ? {} : { environment: where }),
  }
}
