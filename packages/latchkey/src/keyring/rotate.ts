import { LatchkeyError } from '../error.ts'
import { bounds, invalid, objectOf, integer } from '../input.ts'
import type { KeyRecord, IdempotentResult, Store, StoredSecret } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Changed, ChangeOptions, Decision } from './changing.ts'
import { changeKey, changeOptions, refuseRevoked } from './changing.ts'
import type { IdempotencyOptions } from './idempotency.ts'
import { works } from './key.ts'
import { mintSecret } from './minting.ts'

/** How a key is rotated. */
export interface RotateOptions extends Omit<ChangeOptions, 'idempotencyKey'> {
  /** Seconds for which the old secret goes on working; 0 ends it now. A day if left out, 400 days at most. */
  readonly grace?: number | undefined
  /**
   * Gives another secret in place of the newest, which was lost before anybody used it: that one ends, and the old one
   * keeps the end that it has. A conflict when the newest was used.
   */
  readonly replace?: boolean | undefined
}

/** A rotated key, with its new secret for the only time. */
export interface Rotated<Scope extends string = string> extends Changed<Scope> {
  readonly secret: string
  /** The first millisecond in which the old secret no longer works. */
  readonly oldEndsAt: number
}

/** What comes of a rotation that may be sent again: `null` where its secret is in use by now, and whoever uses it has it. */
export interface RotatedOrRepeated<Scope extends string = string> extends Omit<Rotated<Scope>, 'secret'> {
  readonly secret: string | null
}

const aDay = 86_400

/** Milliseconds after a rotation in which another one is taken for the same: of many at once, some come a little later. */
const atOnce = 1000

/**
 * The function behind `Keyring.rotate`. The key stays what it is, id, limits, quota and usage; a secret is added and
 * the old one gets an end. One rotation at a time: of many at once one is done, the others are a conflict, also where
 * the old secret has no time left.
 *
 * A new secret that nobody heard of (the answer was lost, or the output) strands nobody: the same call again, known by
 * its idempotency key, or another with `replace`, puts another in its place for as long as it was never used.
 */
export async function rotate<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  given: RotateOptions & IdempotencyOptions,
): Promise<RotatedOrRepeated<Scope>> {
  const { store } = parts
  objectOf('The options of rotate', given, ['grace', 'replace', ...changeOptions])
  const { grace, replace = false, ...options } = given
  const seconds = integer('grace', grace ?? aDay, 0, bounds.grace)
  if (typeof replace !== 'boolean') throw invalid('replace', 'true or false')
  if (replace && grace !== undefined)
    throw invalid('grace', 'left out with replace: the old secret keeps the end that it has')
  let secret: string | null = null
  let oldEndsAt = 0
  let seen: string | undefined

  const minted = (
    { key, secrets }: KeyRecord,
    now: number,
  ): { readonly stored: StoredSecret; readonly old: readonly StoredSecret[] } => {
    const { secret: text, stored } = mintSecret(parts, key.environment, now)
    secret = text
    return { stored, old: secrets.filter((kept) => works(kept, now)) }
  }

  /** The old secret goes on for a while. */
  const begin = (kept: KeyRecord, now: number): Decision => {
    const { stored, old } = minted(kept, now)
    oldEndsAt = now + seconds * 1000
    const change = { start: stored.start, oldEndsAt }
    const secrets = [...old.map((one) => ending(one, now, now + seconds * 1000)), stored]
    return { key: { ...kept.key, start: stored.start }, secrets, action: 'rotate', change }
  }

  /** The newest ends, unused; the old one keeps its end. */
  const another = (kept: KeyRecord, lost: StoredSecret, now: number): Decision => {
    const { stored, old } = minted(kept, now)
    oldEndsAt = endOfOld(old, lost) ?? now
    const change = { start: stored.start, oldEndsAt, replaced: lost.start }
    const secrets = [{ ...lost, retiredAt: now, endsAt: now, ended: true }, stored]
    return { key: { ...kept.key, start: stored.start }, secrets, unused: [lost.hash], action: 'rotate', change }
  }

  const asked = { id, verb: 'rotate', asked: [grace, replace], options, again: true } as const
  const changed = await changeKey(parts, asked, async (kept, { now, done }) => {
    secret = null
    const { key, secrets } = kept
    refuseRevoked(key)
    const [newest] = secrets
    if (newest === undefined) throw new LatchkeyError('conflict', 'The key has no secret that could be rotated.')
    if (done !== undefined) {
      oldEndsAt = endOfOld(secrets, newest) ?? now
      if (newest.lastUsedAt !== null || !(await isOf(store, kept, done))) return undefined
      if (isRecent(newest, now)) {
        throw new LatchkeyError(
          'still_running',
          'The call was made a moment ago. If its answer was lost, send it again in a second.',
        )
      }
      return another(kept, newest, now)
    }
    if ((seen ??= newest.hash) !== newest.hash) {
      throw new LatchkeyError('conflict', 'The key was rotated by somebody else meanwhile. Read it again.')
    }
    if (replace) {
      if (newest.lastUsedAt !== null) throw new LatchkeyError('conflict', usedText(newest))
      return another(kept, newest, now)
    }
    const old = secrets.find((one) => one.endsAt !== null && works(one, now))
    if (old !== undefined) throw new LatchkeyError('conflict', await underWay(store, kept, { newest, old, now }))
    if (secrets.some(({ retiredAt }) => retiredAt !== null && now >= retiredAt && now - retiredAt < atOnce)) {
      throw new LatchkeyError('conflict', 'The key was rotated a moment ago. Read it again.')
    }
    return begin(kept, now)
  })
  return { ...changed, secret, oldEndsAt }
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

/** A secret that works until `at`, from now on as one that a newer one stands in for. An end that has come is a fact. */
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

/** Whether the newest secret is the one that this call brought about: nobody has rotated the key since. */
async function isOf(store: Store, { key }: KeyRecord, { seq }: IdempotentResult): Promise<boolean> {
  const since = await store.journal({ after: seq, limit: bounds.page, subject: key.id })
  return since.length < bounds.page && !since.some(({ action }) => action === 'rotate')
}

/** What somebody needs to know who meets a rotation of somebody else's, or of their own whose secret was lost. */
async function underWay(
  store: Store,
  { key }: KeyRecord,
  { newest, old, now }: { readonly newest: StoredSecret; readonly old: StoredSecret; readonly now: number },
): Promise<string> {
  const at = newest.createdAt
  const entries = await store.journal({ after: 0, limit: bounds.page, subject: key.id, from: at, to: at + 1 })
  const actor = entries.findLast(({ action }) => action === 'rotate')?.actor ?? 'somebody'
  const until = momentText(old.endsAt ?? now)
  const used = newest.lastUsedAt === null ? 'was never used' : `was used at ${momentText(newest.lastUsedAt)}`
  const advice =
    newest.lastUsedAt === null
      ? 'If nobody has it, rotate with replace, which gives another in its place and leaves the old one as it is.'
      : 'Callers have it. Rotate again when the old one has ended.'
  return `The key is being rotated: ${actor} gave it a new secret at ${momentText(at)}, which ${used}. The old one works until ${until}. ${advice}`
}

function usedText({ lastUsedAt }: StoredSecret): string {
  const at = momentText(lastUsedAt ?? 0)
  return `The newest secret was used at ${at}: somebody has it, and it is not replaced. To give the key another one, rotate without replace.`
}

/** A moment as people read it; as a number where somebody has put one into the database that is beyond all dates. */
function momentText(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString()
}
