import type { Keyring, ListOptions } from 'latchkey'
import { issuer, largest } from './large.ts'

/** Whose rights a call has: an admin key of everything, or one that is bound. */
export const roles = ['all', 'owner', 'environment'] as const
export type Role = (typeof roles)[number]

/** What a call asks with: a page to begin with, and a key and an owner that are others each time. */
export interface Question {
  readonly page: { readonly cursor?: string; readonly limit?: number }
  readonly key: string
  readonly owner: string
  readonly requestId: string
}

/** A call that answers a page, a sum or one thing. */
export interface Call {
  readonly name: string
  readonly ask: (keyring: Keyring, question: Question) => Promise<unknown>
  /** Left out where it is all of them. */
  readonly roles?: readonly Role[]
  /** Whether it begins ten pages of a thousand after the first. */
  readonly deep?: boolean
}

const [anHour, aDay] = [3_600_000, 86_400_000]

const ago = (time: number): number => Date.now() - time

function list(name: string, options: () => ListOptions): Call {
  return { name: `list, ${name}`, ask: async (keyring, { page }) => keyring.list({ ...options(), ...page }) }
}

function firstAndDeep(call: Call): readonly Call[] {
  return [call, { ...call, name: `${call.name}, deep`, deep: true }]
}

const orders = ['oldest', 'newest', 'last_used', 'expires', 'name'] as const

const filters: Readonly<Record<string, () => ListOptions>> = {
  'one owner': () => ({ owner: largest }),
  'one environment': () => ({ environment: 'test' }),
  active: () => ({ state: 'active' }),
  revoked: () => ({ state: 'revoked' }),
  'pending and disabled': () => ({ state: ['pending', 'disabled'] }),
  'a rare scope': () => ({ scope: 'orders:write' }),
  'expires within an hour': () => ({ expiresBefore: ago(-anHour) }),
  'never expires': () => ({ neverExpires: true }),
  'unused for a month': () => ({ unusedSince: ago(29 * aDay) }),
  rotating: () => ({ rotating: true }),
  'issued by a key': () => ({ issuedBy: issuer }),
  'text, rare': () => ({ text: 'rare shop' }),
  'text, nowhere': () => ({ text: 'no key is called that' }),
  'text, in every key': () => ({ text: 'key' }),
  'text, two letters': () => ({ text: 'zq' }),
  'text, nowhere, by name': () => ({ text: 'no key is called that', order: 'name' }),
  'active, by name': () => ({ state: 'active', order: 'name' }),
  'pending, by last use': () => ({ state: 'pending', order: 'last_used' }),
  'two letters, by end': () => ({ text: 'zq', order: 'expires' }),
  'total of all': () => ({ count: true }),
  'total of the active': () => ({ state: 'active', count: true }),
}

const seeingAll = ['all'] as const

const journal: readonly Call[] = [
  ...firstAndDeep({ name: 'journal', ask: async (k, { page }) => k.journal(page), roles: seeingAll }),
  { name: 'journal, oldest', ask: async (k) => k.journal({ order: 'oldest' }), roles: seeingAll },
  { name: 'journal, one key', ask: async (k, { key }) => k.journal({ key }) },
  { name: 'journal, an actor', ask: async (k) => k.journal({ actor: issuer }), roles: seeingAll },
  { name: 'journal, no such actor', ask: async (k) => k.journal({ actor: 'nobody' }), roles: seeingAll },
  { name: 'journal, an action', ask: async (k) => k.journal({ action: 'disable' }), roles: seeingAll },
  { name: 'journal, an hour', ask: async (k) => k.journal({ from: ago(anHour) }), roles: seeingAll },
  ...firstAndDeep({
    name: 'journal, an owner',
    ask: async (k, { page }) => k.journal({ owner: largest, ...page }),
    roles: ['all', 'owner'],
  }),
  {
    name: 'journal, no such action on an owner',
    ask: async (k) => k.journal({ owner: largest, action: 'erase' }),
    roles: ['all', 'owner'],
  },
]

const usage: readonly Call[] = [
  ...firstAndDeep({ name: 'usage, a day', ask: async (k, { page }) => k.usage(page) }),
  ...firstAndDeep({
    name: 'usage, 30 days, newest',
    ask: async (k, { page }) => k.usage({ from: ago(30 * aDay), order: 'newest', ...page }),
  }),
  { name: 'usage, one key', ask: async (k, { key }) => k.usage({ key, from: 0 }) },
  ...firstAndDeep({
    name: 'usage, an outcome',
    ask: async (k, { page }) => k.usage({ outcome: 'over_limit', from: 0, ...page }),
  }),
  { name: 'usage, no such outcome', ask: async (k) => k.usage({ outcome: 'expired', from: 0 }) },
]

const spans = [
  ['24 hours', 'hour', aDay],
  ['30 days by the hour', 'hour', 30 * aDay],
  ['30 days', 'day', 30 * aDay],
] as const

const series: readonly Call[] = spans.flatMap(([name, step, time]) => [
  ...(['outcome', 'environment', 'owner', 'key'] as const).map((by) => ({
    name: `sums, ${name}, by ${by}`,
    ask: async (k: Keyring) => k.usageSeries({ step, by, from: ago(time) }),
  })),
  { name: `sums, ${name}, one key`, ask: async (k, { key }) => k.usageSeries({ step, key, from: ago(time) }) },
  {
    name: `sums, ${name}, keys of an owner`,
    ask: async (k) => k.usageSeries({ step, by: 'key', owner: largest, from: ago(time), top: 50 }),
  },
])

const refusals: readonly Call[] = [
  ...firstAndDeep({ name: 'refusals', ask: async (k, { page }) => k.refusals(page) }),
  { name: 'refusals, one key', ask: async (k, { key }) => k.refusals({ key }) },
  { name: 'refusals, an owner', ask: async (k) => k.refusals({ owner: largest }) },
  { name: 'refusals, a code', ask: async (k) => k.refusals({ code: 'expired' }) },
  { name: 'refusals, no such code', ask: async (k) => k.refusals({ code: 'revoked' }) },
  { name: 'refusals, no such route', ask: async (k) => k.refusals({ route: 'GET /nowhere' }) },
  { name: 'refusal, one request', ask: async (k, { requestId }) => k.refusal(requestId) },
]

/** Every admin call that answers a page, a sum or one thing. */
export const calls: readonly Call[] = [
  ...orders.flatMap((order) => firstAndDeep(list(order, () => ({ order })))),
  ...Object.entries(filters).map(([name, options]) => list(name, options)),
  ...firstAndDeep({ name: 'owners', ask: async (k, { page }) => k.owners({ ...page, limit: 100 }) }),
  { name: 'owners, by a beginning', ask: async (k) => k.owners({ text: 'owner 99' }) },
  { name: 'one owner', ask: async (k, { owner }) => k.owner(owner) },
  { name: 'counts', ask: async (k) => k.counts({ expiresBefore: ago(-7 * aDay) }) },
  { name: 'counts of an owner', ask: async (k) => k.counts({ owner: largest, expiresBefore: ago(-7 * aDay) }) },
  { name: 'whoami', ask: async (k) => k.whoami() },
  { name: 'find', ask: async (k, { key }) => k.find(key) },
  ...journal,
  ...usage,
  ...series,
  ...refusals,
  { name: 'why, an owner', ask: async (k) => k.why({ owner: largest }), roles: ['all', 'owner'] },
  { name: 'why, a key', ask: async (k, { key }) => k.why({ key }) },
  { name: 'why, a request', ask: async (k, { requestId }) => k.why({ requestId }) },
]
