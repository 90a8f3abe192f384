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
  // --admin sets the scopes.
  const needed = keyFields.filter(([member, { required }]) => required && !(admin && member === 'scopes'))
  if (needed.every(([member]) => member in fields)) return
  const flags = needed.map(
    ([
      ,
      {
        options: [{ long }],
      },
    ]) => long,
  )
  throw new Failure(
    'usage',
    `A new key needs ${flags.slice(0, -1).join(', ')} and ${flags.at(-1)}${admin ? '' : ' (or --admin)'}.`,
  )
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
    // mustHave has checked that nothing required is missing.
    ...(fields as KeyMembers<string>),
    actor,
    idempotencyKey,
    ...(where === undefined ? {} : { environment: where }),
  }
}
