import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { Delegation, KeyPatch, Limit, QuotaOptions } from 'latchkey'
import { delegableMembers } from 'latchkey'
import { Failure } from '../exit.ts'
import { limitOf, quotaOf } from './limits.ts'
import { momentAhead } from './when.ts'

/** What the options below are read into. */
export interface MemberOptions {
  readonly name?: string
  readonly owner?: string
  readonly scope?: readonly string[]
  readonly expires?: number
  readonly notBefore?: number
  readonly address?: readonly string[]
  readonly limit?: readonly Limit[]
  readonly quota?: QuotaOptions
  readonly quotaLeft?: number
  readonly metadata?: Readonly<Record<string, string>>
  readonly giveOwner?: string
  readonly giveAllOwners?: boolean
  readonly giveEnvironment?: readonly string[]
  readonly giveScope?: readonly string[]
  readonly giveMember?: readonly string[]
}

/** The options for what a key may be given; the same where one is issued and where one is changed. */
export function memberOptions(command: Command): Command {
  return command
    .option('--name <text>', 'what people call it')
    .option('--owner <owner>', 'whom it belongs to')
    .option(
      '--scope <scopes>',
      'what it may do: resource:action, resource:*; several with commas, or the flag again',
      words,
    )
    .option(
      '--expires <when>',
      'from when it is no longer valid: ISO 8601, or a span from now such as 30d or 12h',
      momentAhead,
    )
    .option('--not-before <when>', 'from when it is valid', momentAhead)
    .option('--address <ranges>', 'where it may be used from: 192.0.2.0/24, 2001:db8::/32; several with commas', words)
    .option(
      '--limit <limit>',
      'name=count/window, such as burst=100/1m or trial=5/1d:report-only; the flag again for more',
      each(limitOf),
    )
    .option('--quota <amount>', 'how often in all: 1000, 1000/day, 1000/month', quotaOf)
    .option('--quota-left <number>', 'with --quota, what is to be left of it now; what was spent stays spent', count)
    .option('--metadata <pair>', 'name=value; the flag again for more', pairs)
    .option('--give-owner <owner>', 'of an admin key: the one owner whose keys it sees and gives')
    .addOption(
      new Option('--give-all-owners', 'of an admin key: it sees and gives keys of all owners').conflicts('giveOwner'),
    )
    .option('--give-environment <names>', 'of an admin key: the environments whose keys it sees and gives', words)
    .option(
      '--give-scope <scopes>',
      "of an admin key: the scopes that it may give; '*' for all, later ones included",
      words,
    )
    .option('--give-member <names>', `of an admin key: which of ${delegableMembers.join(', ')} it may set`, words)
}

/** The members that were given, as the keyring takes them. */
export function membersOf(options: MemberOptions): KeyPatch<string> {
  const { name, owner, scope: scopes, expires, notBefore, address: addresses, limit: limits, metadata } = options
  const quota = quotaWithLeft(options)
  const delegation = delegationOf(options)
  return {
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(limits === undefined ? {} : { limits }),
    ...(quota === undefined ? {} : { quota }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(delegation === undefined ? {} : { delegation }),
  }
}

function quotaWithLeft({ quota, quotaLeft: remaining }: MemberOptions): QuotaOptions | undefined {
  if (remaining === undefined) return quota
  if (quota === undefined) throw new Failure('usage', '--quota-left says what is left of a quota: say --quota too.')
  return { ...quota, remaining }
}

function delegationOf(options: MemberOptions): Delegation | undefined {
  const { giveOwner, giveAllOwners, giveEnvironment, giveScope, giveMember } = options
  if ([giveOwner, giveAllOwners, giveEnvironment, giveScope, giveMember].every((given) => given === undefined))
    return undefined
  // Left out is not "all": whoever means everybody's keys says so.
  if (giveOwner === undefined && giveAllOwners !== true) {
    throw new Failure('usage', 'Say whose keys the admin key gives: --give-owner <owner> or --give-all-owners.')
  }
  return {
    owner: giveOwner ?? null,
    environments: giveEnvironment ?? [],
    scopes: giveScope ?? [],
    // What is no such member is for the keyring to refuse.
    ...(giveMember === undefined ? {} : { members: giveMember as NonNullable<Delegation['members']> }),
  }
}

/** Words with commas between them, from one flag or several. */
export function words(text: string, before: readonly string[] | undefined = []): readonly string[] {
  return [
    ...before,
    ...text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ]
}

/** A flag that may be given again and again. */
export function each<Value>(read: (text: string) => Value) {
  return (text: string, before: readonly Value[] | undefined = []): readonly Value[] => [...before, read(text)]
}

function pairs(
  text: string,
  before: Readonly<Record<string, string>> | undefined = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/** A whole number. */
export function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
