import type { RevocationReason } from '../ports.ts'
import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, changeOptions } from './changing.ts'
import { note, oneOf, plain } from './input.ts'
import type { KeyringParts } from './parts.ts'

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
}

/**
 * The function behind `Keyring.revoke`. Revoked is final, and to revoke twice is to revoke once: the first reason stays,
 * so that a caller who did not hear the answer can ask again.
 */
export async function revoke<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  given: RevokeOptions,
): Promise<Changed<Scope>> {
  plain('The options of revoke', given, ['reason', ...changeOptions])
  const { reason: why, ...options } = given
  const reason = oneOf('reason', why, revocationReasons)
  const revokedNote = note(options.note)
  return changeKey(parts, id, options, ({ key }, now) => {
    if (key.revokedAt !== null) return undefined
    const revoked = { ...key, revokedAt: now, revokedReason: reason, revokedNote }
    return { key: revoked, action: 'revoke', change: { reason } }
  })
}
