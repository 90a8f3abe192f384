import type { Command } from 'commander'
import type { IssueOptions, KeyPatch, Keyring, OnceOptions } from 'latchkey'
import { adminEnvironment } from 'latchkey'
import { everyRight } from '../../first-admin-key.ts'
import { actorOption, createOption, keyringCommand, onceOption, userName } from '../command.ts'
import { Failure } from '../exit.ts'
import type { MemberOptions } from '../input/members.ts'
import { memberOptions, membersOf } from '../input/members.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { handOver } from './hand-over.ts'

interface Options extends MemberOptions, TargetOptions {
  readonly idempotencyKey?: string
  readonly environment?: string
  readonly actor?: string
  readonly admin?: boolean
  readonly create?: boolean
}

export function issueCommand(keys: Command): void {
  const command = keyringCommand(keys, 'issue', 'a new key; its secret is printed once, alone on stdout')
  memberOptions(command).option('--environment <name>', 'live unless told otherwise; admin for a key that administers')
  command.option('--admin', 'an admin key that may do and give everything, but for what other flags say')
  createOption(onceOption(actorOption(command))).action(async (options: Options) => {
    const given = membersOf(options)
    // Before anything is opened: what is missing is not the database.
    mustHave(given, options)
    const issued = await withKeyring(options, { mode: 'write', create: options.create }, async ({ keyring }) =>
      keyring.issue(wanted(given, options, keyring)),
    )
    const { key } = issued
    const what = `${key.id} issued for ${key.owner} (${key.environment}): ${key.scopes.join(', ') || 'no scopes'}`
    await handOver({ ...issued, said: what, answer: issued, options })
  })
}

function mustHave({ name, owner, scopes }: KeyPatch<string>, { admin = false }: Options): void {
  if (name !== undefined && owner !== undefined && (scopes !== undefined || admin)) return
  throw new Failure('usage', `A new key needs --name, --owner and --scope${admin ? '' : ' (or --admin)'}.`)
}

function wanted(given: KeyPatch<string>, options: Options, keyring: Keyring): IssueOptions<string> & OnceOptions {
  const { environment, actor = userName(), admin = false, idempotencyKey } = options
  const { name = '', owner = '', scopes = [], ...members } = { ...(admin ? everyRight(keyring) : {}), ...given }
  const where = environment ?? (admin ? adminEnvironment : undefined)
  return {
    ...members,
    name,
    owner,
    scopes,
    actor,
    idempotencyKey,
    ...(where === undefined ? {} : { environment: where }),
  }
}
