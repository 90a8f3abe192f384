import { LatchkeyError } from '../error.ts'
import { bounds, invalid, note, oneOf, objectOf, text } from '../input.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { KeyListItem, ListPosition, RevocationReason, StoredKey } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import { authorityOf } from './authority.ts'
import type { ChangeOptions, RevokeOptions } from './call-options.ts'
import { revokeOptions } from './call-options.ts'
import type { Changed, Part } from './change-key.ts'
import { changeKey } from './change-key.ts'
import { propagated } from './propagated.ts'

/** Why a key may be revoked. */
export const revocationReasons: readonly RevocationReason[] = [
  'compromised',
  'superseded',
  'unused',
  'requested',
  'other',
]

/** A revoked key. */
export interface Revoked<Scope extends string = string> extends Changed<Scope> {
  /** How many keys were revoked besides, with `withIssued`. */
  readonly alsoRevoked: number
}

/** Keys that are read at a time. */
const page = 100

/**
 * The function behind `Keyring.revoke`. Revoked is final, and to revoke twice is to revoke once: the first reason stays,
 * so that a caller who did not get the answer can ask again. With `withIssued` the admin key ends first, unless it is the
 * one that asks, so it can issue nothing more. Whatever forbids to revoke one of the keys is found before the first one
 * is revoked; if the call is interrupted afterwards, the same call again finishes it.
 */
export async function revoke<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  allOptions: RevokeOptions,
): Promise<Revoked<Scope>> {
  objectOf('The options of revoke', allOptions, revokeOptions)
  const { reason: why, withIssued = false, ...options } = allOptions
  const reason = oneOf('reason', why, revocationReasons)
  if (typeof withIssued !== 'boolean') throw invalid('withIssued', 'true or false')
  const revokedNote = note(options.note)
  let last = 0
  const end = async (one: string, of: ChangeOptions, part: Part): Promise<Changed<Scope>> => {
    const asked = { id: one, verb: 'revoke', asked: [reason, withIssued], options: of, ...part } as const
    const ended = await changeKey(parts, asked, ({ key }, { now }) => {
      if (key.revokedAt !== null) return undefined
      const revoked = { ...key, revokedAt: now, revokedReason: reason, revokedNote }
      return { key: revoked, action: 'revoke', change: { reason } }
    })
    last = Math.max(last, ended.key.revision)
    return ended
  }
  if (!withIssued) return { ...(await end(id, options, {})), alsoRevoked: 0 }

  const asking = parts.authority
  const { actor, note: words } = options
  const others = { ...(actor === undefined ? {} : { actor }), ...(words === undefined ? {} : { note: words }) }
  if (asking !== undefined) {
    const rehearsedWith = new Set([text('id', id, bounds.label)])
    for await (const { id: made } of madeFrom(parts, id, [adminEnvironment])) rehearsedWith.add(made)
    for (const one of rehearsedWith) {
      const rehearsal = end(one, one === id ? options : others, { settle: false, rehearsedWith })
      await (one === id ? rehearsal : rehearsal.catch((error: unknown) => hindered(one, error)))
    }
  }

  // The admin key that asks must keep its rights until the end: if it is among those to be revoked, it ends last.
  const unsettled = { settle: false }
  let done = id === asking ? undefined : await end(id, options, unsettled)
  let alsoRevoked = 0
  let isAmongThem = false
  for await (const key of madeFrom(parts, id)) {
    if (key.id === asking) isAmongThem = true
    if (key.revokedAt !== null || key.id === asking) continue
    await end(key.id, others, unsettled)
    alsoRevoked++
  }
  if (done !== undefined && asking !== undefined && isAmongThem) {
    await end(asking, others, unsettled)
    alsoRevoked++
  }
  done ??= await end(id, options, unsettled)
  return { ...done, ...propagated(await parts.store.settled(last)), alsoRevoked }
}

/** Says which key cannot be revoked: it is not the one that the caller named. */
function hindered(id: string, error: unknown): never {
  if (!(error instanceof LatchkeyError)) throw error
  throw new LatchkeyError(error.code, `Nothing was revoked, because of ${id}. ${error.message}`, { cause: error })
}

/**
 * The keys with a secret that an admin key issued, imported or rotated, or that one of the admin keys did which it made so,
 * and so on, as far as the admin key that asks sees them.
 */
async function* madeFrom<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  environments?: readonly string[],
): AsyncGenerator<StoredKey> {
  // A loop over a set also reaches what is added meanwhile.
  const issuers = new Set([id])
  for (const issuer of issuers) {
    for await (const { key } of madeBy(parts, issuer, environments)) {
      if (key.environment === adminEnvironment) issuers.add(key.id)
      yield key
    }
  }
}

/** What one admin key made. Of keys that the asking one does not see none is looked at: that would take time for each. */
async function* madeBy<Scope extends string>(
  parts: KeyringParts<Scope>,
  issuedBy: string,
  asked: readonly string[] | undefined,
): AsyncGenerator<KeyListItem> {
  const { store, clock } = parts
  for (let after: ListPosition | undefined; ;) {
    const { owner, environments: seen } = await authorityOf(parts, 'keys:write')
    const environments = seen?.filter((one) => asked?.includes(one) ?? true) ?? asked
    if (environments?.length === 0) return
    const any = { states: undefined, grants: undefined, text: undefined, now: clock.now(), order: 'oldest' } as const
    const filter = { ...any, owner, environments, issuedBy, after, limit: page, urgent: true }
    const { items, next } = await store.list(filter)
    yield* items
    if (next === undefined) return
    after = next
  }
}
