import { invalid, note, oneOf, objectOf } from '../input.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { RevocationReason } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import { authorityOf } from './authority.ts'
import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, changeOptions } from './changing.ts'

/** Why a key may be revoked. */
export const revocationReasons: readonly RevocationReason[] = [
  'compromised',
  'superseded',
  'unused',
  'requested',
  'other',
]

/** Why a key is revoked, and by whom. */
export interface RevokeOptions extends ChangeOptions {
  readonly reason: RevocationReason
  /**
   * Of an admin key: revokes also every key that has a secret which it brought about, by issuing, importing or rotating,
   * and what those that are admin keys brought about. For one that was stolen: whoever had it knows those secrets.
   */
  readonly withIssued?: boolean | undefined
}

/** A revoked key. */
export interface Revoked<Scope extends string = string> extends Changed<Scope> {
  /** How many keys were revoked besides, with `withIssued`. */
  readonly alsoRevoked: number
}

/** Keys that are read at a time. */
const page = 100

/**
 * The function behind `Keyring.revoke`. Revoked is final, and to revoke twice is to revoke once: the first reason stays,
 * so that a caller who did not hear the answer can ask again. With `withIssued` the admin key ends first and can bring
 * about nothing more, unless it is the one that asks; what is interrupted afterwards is finished by asking again.
 */
export async function revoke<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  given: RevokeOptions,
): Promise<Revoked<Scope>> {
  objectOf('The options of revoke', given, ['reason', 'withIssued', ...changeOptions])
  const { reason: why, withIssued = false, ...options } = given
  const reason = oneOf('reason', why, revocationReasons)
  if (typeof withIssued !== 'boolean') throw invalid('withIssued', 'true or false')
  const revokedNote = note(options.note)
  const end = async (one: string, of: ChangeOptions, settle: boolean): Promise<Changed<Scope>> => {
    const asked = { id: one, verb: 'revoke', asked: [reason, withIssued], options: of, settle } as const
    return changeKey(parts, asked, ({ key }, { now }) => {
      if (key.revokedAt !== null) return undefined
      const revoked = { ...key, revokedAt: now, revokedReason: reason, revokedNote }
      return { key: revoked, action: 'revoke', change: { reason } }
    })
  }
  const began = parts.clock.monotonic()
  if (!withIssued) return { ...(await end(id, options, true)), alsoRevoked: 0 }

  // Whoever asks must be able to until the end: an admin key that is among them ends last.
  const asking = parts.authority
  let done = id === asking ? undefined : await end(id, options, false)
  const { actor, note: words } = options
  const others = { ...(actor === undefined ? {} : { actor }), ...(words === undefined ? {} : { note: words }) }
  let alsoRevoked = 0
  const issuers = [id]
  const seen = new Set(issuers)
  for (const issuer of issuers) {
    for await (const { key } of broughtAboutBy(parts, issuer)) {
      if (key.environment === adminEnvironment && !seen.has(key.id)) {
        seen.add(key.id)
        issuers.push(key.id)
      }
      if (key.revokedAt !== null || key.id === asking) continue
      await end(key.id, others, false)
      alsoRevoked++
    }
  }
  if (done !== undefined && asking !== undefined && seen.has(asking)) {
    await end(asking, others, false)
    alsoRevoked++
  }
  done ??= await end(id, options, false)
  await parts.store.settled()
  return { ...done, tookMs: parts.clock.monotonic() - began, alsoRevoked }
}

/** Every key with a secret that an admin key brought about, as far as whoever asks sees it. */
async function* broughtAboutBy<Scope extends string>(
  parts: KeyringParts<Scope>,
  issuedBy: string,
): AsyncGenerator<Awaited<ReturnType<KeyringParts<Scope>['store']['list']>>[number]> {
  const { store, clock } = parts
  for (let after = 0; ;) {
    const { sees } = await authorityOf(parts, 'keys:write')
    const any = { owner: undefined, environments: undefined, state: undefined, scope: undefined, text: undefined }
    const listed = await store.list({ ...any, issuedBy, now: clock.now(), after, limit: page })
    for (const item of listed) if (sees(item.key)) yield item
    const last = listed.at(-1)
    if (last === undefined || listed.length < page) return
    after = last.place
  }
}
