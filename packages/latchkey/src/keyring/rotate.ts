import { LatchkeyError } from '../error.ts'
import { bounds, integer, invalid, objectOf } from '../input.ts'
import type { IdempotentResult, KeyRecord, Store, StoredSecret } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { ChangeOptions, IdempotencyOptions, RotateOptions } from './call-options.ts'
import { changeOptions, rotateOptions } from './call-options.ts'
import type { Changed, KeyUpdate } from './change-key.ts'
import { changeKey, changeKeyWithResult, refuseRevoked } from './change-key.ts'
import type { Decision, Sight } from './changing.ts'
import { works } from './key.ts'
import { mintSecret } from './minting.ts'

/** A rotated key, with its new secret for the only time. */
export interface Rotated<Scope extends string = string> extends Changed<Scope> {
  /** The new secret, the only copy: hand it over now. */
  readonly secret: string
  /** The first millisecond in which the old secret no longer works. */
  readonly oldEndsAt: number
}

/** A rotation that may be sent again. `secret` is `null` if the new secret is in use by now: its user has it. */
export interface RotatedOrRepeated<Scope extends string = string> extends Omit<Rotated<Scope>, 'secret'> {
  /** `null` if the call was made before, and its secret is in use by now. */
  readonly secret: string | null
}

const aDay = 86_400

/** Milliseconds after a rotation in which another one counts as the same: of many at once, some come a little later. */
const atOnce = 1000

/** The members of a rotation's answer besides the key. */
type Rotation = Pick<RotatedOrRepeated, 'secret' | 'oldEndsAt'>

/** The checked request of a rotation. */
interface Request {
  /** Seconds for which the old secret goes on working. */
  readonly grace: number
  readonly replace: boolean
}

/**
 * The function behind `Keyring.rotate`. The key keeps its id, limits, quota and usage; a secret is added and the old
 * one gets an end. One rotation at a time: of many at once one is done and the others are a conflict, even if the old
 * secret ends at once.
 *
 * A new secret that was lost with the answer or the output can be replaced: the same call again, recognised by its
 * idempotency key, or another call with `replace`, does that for as long as it was never used.
 */
export async function rotate<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  allOptions: RotateOptions & IdempotencyOptions,
): Promise<RotatedOrRepeated<Scope>> {
  objectOf('The options of rotate', allOptions, rotateOptions)
  const { grace, replace = false, ...options } = allOptions
  const request = { grace: integer('grace', grace ?? aDay, { least: 0, most: bounds.grace }), replace }
  if (typeof replace !== 'boolean') throw invalid('replace', 'true or false')
  if (replace && grace !== undefined) {
    throw invalid('grace', 'left out with replace: the old secret keeps the end that it has')
  }
  const call = { id, verb: 'rotate', asked: [grace, replace], options, again: true } as const
  const { result, ...changed } = await changeKeyWithResult(parts, call, (kept, sight) =>
    rotation(parts, { kept, sight, request }),
  )
  return { ...changed, secret: null, oldEndsAt: 0, ...result }
}

/** Decides how a key is rotated, and what the call answers. */
async function rotation<Scope extends string>(
  parts: KeyringParts<Scope>,
  {
    kept,
    sight: { now, done, first },
    request: { grace, replace },
  }: { readonly kept: KeyRecord; readonly sight: Sight<KeyRecord>; readonly request: Request },
): Promise<Decision<KeyUpdate, Rotation>> {
  const { store } = parts
  const { key, secrets } = kept
  refuseRevoked(key)
  const [newest] = secrets
  if (newest === undefined) throw new LatchkeyError('conflict', 'The key has no secret that could be rotated.')
  if (done !== undefined) {
    if (newest.lastUsedAt !== null || !(await isOf(store, kept, done))) {
      return { step: undefined, result: { secret: null, oldEndsAt: endOfOld(secrets, newest) ?? now } }
    }
    if (isRecent(newest, now)) {
      throw new LatchkeyError(
        'still_running',
        'The call was made a moment ago. If its answer was lost, send it again in a second.',
      )
    }
    return replacing(parts, kept, { lost: newest, now })
  }
  if (first.secrets[0]?.hash !== newest.hash) {
    throw new LatchkeyError('conflict', 'The key was rotated by somebody else meanwhile. Read it again.')
  }
  if (replace) {
    if (newest.lastUsedAt !== null) throw new LatchkeyError('conflict', usedText(newest))
    return replacing(parts, kept, { lost: newest, now })
  }
  const old = secrets.find((one) => one.endsAt !== null && works(one, now))
  if (old !== undefined) throw new LatchkeyError('conflict', await underWay(store, kept, { newest, old, now }))
  if (secrets.some(({ retiredAt }) => retiredAt !== null && now >= retiredAt && now - retiredAt < atOnce)) {
    throw new LatchkeyError('conflict', 'The key was rotated a moment ago. Read it again.')
  }
  return adding(parts, kept, { now, oldEndsAt: now + grace * 1000 })
}

/** A new secret, with which the old one goes on working for a while. */
function adding<Scope extends string>(
  parts: KeyringParts<Scope>,
  { key, secrets }: KeyRecord,
  { now, oldEndsAt }: { readonly now: number; readonly oldEndsAt: number },
): Decision<KeyUpdate, Rotation> {
  const { secret, stored } = mintSecret(parts, key.environment, now)
  const { start } = stored
  const old = secrets.filter((one) => works(one, now)).map((one) => ending(one, now, oldEndsAt))
  const change = { start, oldEndsAt }
  const step = { key: { ...key, start }, secrets: [...old, stored], action: 'rotate', change } as const
  return { step, result: { secret, oldEndsAt } }
}

/** A new secret in place of the newest, which ends unused; the old one keeps its end. */
function replacing<Scope extends string>(
  parts: KeyringParts<Scope>,
  { key, secrets }: KeyRecord,
  { lost, now }: { readonly lost: StoredSecret; readonly now: number },
): Decision<KeyUpdate, Rotation> {
  const { secret, stored } = mintSecret(parts, key.environment, now)
  const { start } = stored
  const working = secrets.filter((one) => works(one, now))
  const oldEndsAt = endOfOld(working, lost) ?? now
  const step = {
    key: { ...key, start },
    secrets: [{ ...lost, retiredAt: now, endsAt: now, ended: true }, stored],
    unused: [lost.hash],
    action: 'rotate',
    change: { start, oldEndsAt, replaced: lost.start },
  } as const
  return { step, result: { secret, oldEndsAt } }
}

/** The function behind `Keyring.retire`: the old secret of a key that is being rotated ends now. */
export async function retire<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  objectOf('The options of retire', options, changeOptions)
  return changeKey(parts, { id, verb: 'retire', options }, ({ key, secrets }, { now }) => {
    refuseRevoked(key)
    const old = secrets.filter((one) => one.endsAt !== null && works(one, now))
    if (old.length === 0) return undefined
    return { key, secrets: old.map((one) => ending(one, now, now)), action: 'retire', change: { oldEndsAt: now } }
  })
}

/** A secret that a newer one replaces from now on and that works until `at`. An end that has come is a fact. */
function ending(secret: StoredSecret, now: number, at: number): StoredSecret {
  return { ...secret, retiredAt: secret.retiredAt ?? now, endsAt: at, ended: at <= now }
}

function isRecent({ createdAt }: StoredSecret, now: number): boolean {
  return now >= createdAt && now - createdAt < atOnce
}

/** When the last of them ends, but for the newest; `undefined` where there is no other. */
function endOfOld(secrets: readonly StoredSecret[], newest: StoredSecret): number | undefined {
  const ends = secrets.filter(({ hash }) => hash !== newest.hash).map(({ endsAt }) => endsAt ?? 0)
  return ends.length === 0 ? undefined : Math.max(...ends)
}

/** Whether the newest secret comes from this call: the key was not rotated since. */
async function isOf(store: Store, { key }: KeyRecord, { seq }: IdempotentResult): Promise<boolean> {
  const since = await store.journal({ after: seq, limit: bounds.page, subject: key.id, urgent: true })
  return since.length < bounds.page && !since.some(({ action }) => action === 'rotate')
}

/**
 * The error of a rotation that meets another one: why it is refused, and what to do. The other rotation was made by
 * another caller, or its secret was lost.
 */
async function underWay(
  store: Store,
  { key }: KeyRecord,
  { newest, old, now }: { readonly newest: StoredSecret; readonly old: StoredSecret; readonly now: number },
): Promise<string> {
  const at = newest.createdAt
  const entries = await store.journal({
    after: 0,
    limit: bounds.page,
    subject: key.id,
    from: at,
    to: at + 1,
    urgent: true,
  })
  const actor = entries.findLast(({ action }) => action === 'rotate')?.actor ?? 'somebody'
  const until = timestampText(old.endsAt ?? now)
  const used = newest.lastUsedAt === null ? 'was never used' : `was used at ${timestampText(newest.lastUsedAt)}`
  const advice =
    newest.lastUsedAt === null
      ? 'If nobody has it, rotate with replace, which gives another in its place and leaves the old one as it is.'
      : 'Callers have it. Rotate again when the old one has ended.'
  return `The key is being rotated: ${actor} gave it a new secret at ${timestampText(at)}, which ${used}. The old one works until ${until}. ${advice}`
}

function usedText({ lastUsedAt }: StoredSecret): string {
  const at = timestampText(lastUsedAt ?? 0)
  return `The newest secret was used at ${at}: somebody has it, and it is not replaced. To give the key another one, rotate without replace.`
}

/** A moment as people read it; as a number if it is beyond all dates, which only another program can have written. */
function timestampText(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString()
}
