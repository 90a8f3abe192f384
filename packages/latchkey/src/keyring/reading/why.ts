import { LatchkeyError } from '../../error.ts'
import { bounds, integer, invalid, membersOf, objectOf, text, timestamp } from '../../input.ts'
import type { Action, UsageCount } from '../../ports.ts'
import type { RefusalCode } from '../../refusal.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { RefusalRecord } from '../../verify/refusal-record.ts'
import { authorityOf } from '../authority.ts'
import { visibleOwner } from '../owners.ts'
import type { Entry } from './entry.ts'
import { readJournal } from './journal.ts'
import { findRefusal, readRefusals } from './refusals.ts'
import { readUsageSeries } from './usage-series.ts'

/** What somebody asks about: an owner, a key, or one request, and only one of them; all calls without any. */
export interface WhyOptions {
  readonly owner?: string
  /** The id of a key. */
  readonly key?: string
  /** The id of a request that was refused, as `instance` of its answer has it, with or without `urn:uuid:`. */
  readonly requestId?: string
  /** The time that is asked about, in milliseconds since 1970; now if left out. A request has its own. */
  readonly at?: number
  /** How many minutes before that time and after it are looked at, 1 to 1440; 10 if left out. */
  readonly minutes?: number
}

const whyOptions = membersOf<WhyOptions>({ owner: true, key: true, requestId: true, at: true, minutes: true })

/** All that is known of what happened to the calls of an owner or a key round a time. */
export interface Why {
  /** The first millisecond that is looked at. */
  readonly from: number
  /** The first millisecond that is no longer looked at. */
  readonly to: number
  /** The refusal of the request that was asked about; `null` if none was. */
  readonly refusal: RefusalRecord | null
  /** The calls that were refused then, the newest first; equal ones of one second are one. */
  readonly refusals: readonly RefusalRecord[]
  /** The changes of then, the newest first. */
  readonly entries: readonly Entry[]
  /** The changes, of then or from before, that led to the refusals. */
  readonly causes: readonly Cause[]
  /** How many calls had which outcome, in the hours that this time touches. */
  readonly usage: readonly OutcomeCount[]
  /** Whether the lists have all: they have 1,000 rows at most. The counts of usage are always of all calls. */
  readonly complete: boolean
}

/** The last change of a key, or of its owner, that leads to a refusal with this code. */
export interface Cause {
  /** The id of the key that was refused. */
  readonly key: string
  readonly code: RefusalCode
  readonly entry: Entry
}

/** How many calls had an outcome in an hour. */
export type OutcomeCount = Pick<UsageCount, 'hour' | 'outcome' | 'count'>

/** The changes of a key after which calls are refused with a code. Without any, no change of a key leads to it. */
const causes: Readonly<Record<RefusalCode, readonly Action[]>> = {
  missing: [],
  two_credentials: [],
  malformed: [],
  mistyped: [],
  unknown: [],
  unavailable: [],
  revoked: ['revoke'],
  disabled: ['disable'],
  owner_disabled: ['disable'],
  not_yet_valid: ['change', 'issue', 'import'],
  expired: ['change', 'issue', 'import'],
  secret_ended: ['retire', 'rotate'],
  wrong_environment: ['issue', 'import'],
  address_not_allowed: ['change', 'issue', 'import'],
  insufficient_scope: ['change', 'issue', 'import'],
  over_limit: ['change', 'issue', 'import'],
  quota_exhausted: ['change', 'issue', 'import'],
}

const [aMinute, anHour] = [60_000, 3_600_000]

/** How many kinds of refusals are traced back to a change. */
const mostTraced = 20

/**
 * The function behind `Keyring.why`.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_key`, `unknown_owner`, `beyond_delegation`.
 */
export async function why<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: WhyOptions,
): Promise<Why | undefined> {
  objectOf('The options of why', options, whyOptions)
  const { owner, key, requestId, at, minutes = 10 } = options
  if ([owner, key, requestId].filter((one) => one !== undefined).length > 1) {
    throw invalid('owner, key and requestId', 'asked for one at a time')
  }
  if (requestId !== undefined && at !== undefined)
    throw invalid('at', 'left out with requestId, which has its own time')
  const margin = integer('minutes', minutes, { least: 1, most: 1440 }) * aMinute
  const asked = timestamp('at', at) ?? parts.clock.now()
  const refusal = requestId === undefined ? undefined : await findRefusal(parts, withoutUrn(requestId))
  if (requestId !== undefined && refusal === undefined) return undefined
  const middle = refusal?.at ?? asked
  const span = { from: Math.max(0, middle - margin), to: Math.min(middle + margin, bounds.timestamp) }
  const about = aboutOf({ owner, key: key ?? refusal?.keyId })
  if (refusal !== undefined && refusal.keyId === undefined)
    return { ...span, ...nothing, refusal: refusal ?? null, refusals: refusal === undefined ? [] : [refusal] }

  try {
    const all = await readAll(parts, { about, span, refusal })
    if (owner !== undefined && all.entries.length + all.refusals.length + all.usage.length === 0) {
      await mustExist(parts, owner)
    }
    return { ...span, refusal: refusal ?? null, ...all }
  } catch (error) {
    // The key of the refusal is none of the store, or is no longer seen.
    if (refusal === undefined || !(error instanceof LatchkeyError) || error.code !== 'unknown_key') throw error
    return { ...span, ...nothing, refusal, refusals: [refusal] }
  }
}

async function readAll<Scope extends string>(
  parts: KeyringParts<Scope>,
  {
    about,
    span,
    refusal,
  }: {
    readonly about: About
    readonly span: { readonly from: number; readonly to: number }
    readonly refusal: RefusalRecord | undefined
  },
): Promise<Omit<Why, 'from' | 'to' | 'refusal'>> {
  const journal = await readJournal(parts, { ...about, ...span, limit: bounds.page })
  const refused = await readRefusals(parts, { ...about, ...span, limit: bounds.page })
  const usage = await outcomesOf(parts, about, span)
  // A refusal of a middle ago is remembered by its id, and not kept yet.
  const isKept = refusal === undefined || refused.refusals.some((one) => isTheSame(one, refusal))
  const refusals = isKept ? refused.refusals : [refusal, ...refused.refusals]
  return {
    refusals,
    entries: journal.entries,
    causes: await causesOf(parts, refusals),
    usage,
    complete: journal.cursor === null && refused.cursor === null,
  }
}

/** Equal refusals of one second are kept as one, with the id of the first. */
function isTheSame(kept: RefusalRecord, asked: RefusalRecord): boolean {
  const inOneSecond = Math.floor(kept.at / 1000) === Math.floor(asked.at / 1000)
  return inOneSecond && kept.code === asked.code && kept.route === asked.route
}

/** The answer for a request whose credential belongs to no key: nothing else is known of its caller. */
const nothing = { entries: [], causes: [], usage: [], complete: true } as const

/** One owner, one key, or all. */
type About = Pick<WhyOptions, 'owner' | 'key'>

function aboutOf({ owner, key }: { readonly owner: string | undefined; readonly key: string | undefined }): About {
  if (owner !== undefined) return { owner: text('owner', owner, bounds.label) }
  return key === undefined ? {} : { key }
}

function withoutUrn(requestId: unknown): string {
  return typeof requestId === 'string' ? requestId.replace(/^urn:uuid:/, '') : (requestId as string)
}

/** An owner of which nothing is known has perhaps been mistyped. */
async function mustExist<Scope extends string>(parts: KeyringParts<Scope>, owner: string): Promise<void> {
  const authority = await authorityOf(parts, 'journal:read')
  if ((await visibleOwner(parts, authority, owner)) !== undefined) return
  throw new LatchkeyError('unknown_owner', 'No key has this owner.')
}

/** From sums, so that it is right however many keys were used. */
async function outcomesOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  about: About,
  span: { readonly from: number; readonly to: number },
): Promise<readonly OutcomeCount[]> {
  const { from, series } = await readUsageSeries(parts, { ...about, ...span, step: 'hour', by: 'outcome' })
  const counts = series.flatMap(({ group, count }) =>
    count.map((calls, step) => ({ hour: from + step * anHour, outcome: group, count: calls })),
  )
  return counts
    .filter(({ count }) => count > 0)
    .toSorted((one, other) => one.hour - other.hour || (one.outcome < other.outcome ? -1 : 1))
}

/** For each kind of refusal of each key, the last change before it that leads to it. */
async function causesOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  refusals: readonly RefusalRecord[],
): Promise<readonly Cause[]> {
  const kinds = new Map(refusals.map((refusal) => [`${refusal.keyId} ${refusal.code}`, refusal]))
  const found: Cause[] = []
  for (const { keyId, owner, code, at } of [...kinds.values()].slice(0, mostTraced)) {
    if (keyId === undefined || causes[code].length === 0) continue
    const about = code === 'owner_disabled' && owner !== undefined ? { owner } : { key: keyId }
    const before = await Promise.all(
      causes[code].map(async (action) => lastBefore(parts, { ...about, action, to: at + 1 })),
    )
    const [entry] = before.filter((one) => one !== undefined).toSorted((one, two) => two.seq - one.seq)
    if (entry !== undefined) found.push({ key: keyId, code, entry })
  }
  return found
}

async function lastBefore<Scope extends string>(
  parts: KeyringParts<Scope>,
  filter: About & { readonly action: Action; readonly to: number },
): Promise<Entry | undefined> {
  try {
    // An owner's journal has its keys too, and of these there may be many that were disabled.
    const { entries } = await readJournal(parts, { ...filter, limit: filter.owner === undefined ? 1 : 100 })
    return filter.owner === undefined ? entries[0] : entries.find(({ subject }) => subject.startsWith('owner:'))
  } catch (error) {
    // The key was refused while this owner had it, and belongs to another one, or to none, by now.
    if (error instanceof LatchkeyError && ['unknown_key', 'unknown_owner'].includes(error.code)) return undefined
    throw error
  }
}
