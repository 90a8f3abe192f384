import { Option } from 'commander'
import { delegationFacts, delegationOf, delegationOptions } from './key-fields/delegation.ts'
import type { KeyField, Members } from './key-fields/field.ts'
import { delegation, limits, timestamp, pairs, quota, text, words } from './key-fields/kinds.ts'
import { quotaFacts, quotaLeftOption, quotaWithLeft } from './key-fields/quota.ts'

/**
 * The fields of a key, each written once. From a row come its options in `keys issue` and `keys change`, its word for
 * `--clear`, its column in a file of `keys import`, its row in `keys show`, and its column in `keys list`, all in this
 * order.
 */
const table: { readonly [Member in keyof Members]: KeyField<Member> } = {
  name: {
    required: true,
    kind: text,
    options: [new Option('--name <text>', 'Name that people read')],
    clear: undefined,
    show: { title: 'name' },
    column: { title: 'NAME', flexible: true },
  },
  owner: {
    required: true,
    kind: text,
    options: [new Option('--owner <owner>', 'Customer, team or person it belongs to')],
    clear: undefined,
    show: { title: 'owner' },
    column: { title: 'OWNER', flexible: true },
  },
  scopes: {
    required: true,
    kind: words,
    options: [
      new Option(
        '--scope <scopes>',
        'Scopes it is granted: resource:action or resource:*. Separate them with commas, or repeat the flag',
      ).argParser(words.fromFlag),
    ],
    clear: undefined,
    show: { title: 'scopes', none: 'none' },
    column: { title: 'SCOPES', flexible: true, below: true },
  },
  expiresAt: {
    required: false,
    kind: timestamp,
    options: [
      new Option(
        '--expires <when>',
        'When it stops being valid: ISO 8601, or a span from now such as 30d or 12h',
      ).argParser(timestamp.fromFlag),
    ],
    clear: 'expires',
    show: { title: 'expires', none: 'never' },
  },
  notBefore: {
    required: false,
    kind: timestamp,
    options: [
      new Option('--not-before <when>', 'When it starts being valid, in the same form').argParser(timestamp.fromFlag),
    ],
    clear: 'not-before',
    show: { title: 'valid from' },
  },
  addresses: {
    required: false,
    kind: words,
    options: [
      new Option(
        '--address <ranges>',
        'Addresses it may be used from: 192.0.2.0/24, 2001:db8::/32. Separate them with commas',
      ).argParser(words.fromFlag),
    ],
    clear: 'address',
    show: { title: 'addresses', none: 'any' },
  },
  limits: {
    required: false,
    kind: limits,
    options: [
      new Option(
        '--limit <limit>',
        'Rate limit, name=count/window: burst=100/1m, or trial=5/1d:report-only to count and refuse nothing; :refuse-when-unavailable to refuse while the shared limiter cannot be reached. Repeat the flag for more',
      ).argParser(limits.fromFlag),
    ],
    clear: 'limit',
    show: { title: 'limits', none: 'none' },
  },
  quota: {
    required: false,
    kind: quota,
    options: [
      new Option(
        '--quota <amount>',
        'How many calls it may make in all: 1000, or 1000/hour, 1000/day, 1000/week, 1000/month',
      ).argParser(quota.fromFlag),
      quotaLeftOption,
    ],
    parts: { remaining: '--quota-left', add: '--quota-add', take: '--quota-take' },
    fromOptions: quotaWithLeft,
    clear: 'quota',
    show: quotaFacts,
  },
  metadata: {
    required: false,
    kind: pairs,
    options: [
      new Option(
        '--metadata <pair>',
        'Metadata of your own: name=text, or name:=JSON; name:=null removes it. Repeat the flag for more',
      ).argParser(pairs.fromFlag),
    ],
    clear: 'metadata',
    show: { title: 'metadata' },
  },
  delegation: {
    required: false,
    kind: delegation,
    options: delegationOptions,
    parts: {
      owner: '--give-owner',
      environments: '--give-environment',
      scopes: '--give-scope',
      members: '--give-member',
    },
    fromOptions: delegationOf,
    clear: 'give',
    show: delegationFacts,
  },
}

/** Any row. */
type AnyField = Omit<KeyField<keyof Members>, 'required' | 'clear'> & {
  readonly required: boolean
  readonly clear: string | undefined
}

/** The rows, with the names that the library has for the fields. */
export const keyFields = Object.entries(table) as readonly (readonly [keyof Members, AnyField])[]
