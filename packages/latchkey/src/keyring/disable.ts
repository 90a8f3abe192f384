import { LatchkeyError } from '../error.ts'
import { objectOf } from '../input.ts'
import { delegationCovers } from '../policy/delegation.ts'
import type { Store, StoredKey } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import type { ChangeOptions } from './call-options.ts'
import { changeOptions } from './call-options.ts'
import type { Changed } from './change-key.ts'
import { changeKey, refuseRevoked } from './change-key.ts'

/** The function behind `Keyring.disable`. To disable twice is to disable once. */
export async function disable<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  objectOf('The options of disable', options, changeOptions)
  return changeKey(parts, { id, verb: 'disable', options }, ({ key }, { now }) => {
    refuseRevoked(key)
    if (key.disabledAt !== null) return undefined
    const disabledBy = parts.authority ?? null
    return { key: { ...key, disabledAt: now, disabledBy }, action: 'disable', change: {} }
  })
}

/** The function behind `Keyring.enable`. */
export async function enable<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  objectOf('The options of enable', options, changeOptions)
  return changeKey(parts, { id, verb: 'enable', options }, async ({ key }, { authority }) => {
    refuseRevoked(key)
    if (key.disabledAt === null) return undefined
    await mustMayEnable(parts.store, key, authority)
    return { key: { ...key, disabledAt: null, disabledBy: null }, action: 'enable', change: {} }
  })
}

/**
 * An admin key that is bound to an owner enables keys that it disabled itself, or that an admin key disabled which reaches
 * no further. A key that the operator disabled stays disabled, or the owner could undo that.
 *
 * @throws LatchkeyError `beyond_delegation`.
 */
async function mustMayEnable(store: Store, { disabledBy }: StoredKey, authority: Authority): Promise<void> {
  const { witness, owner } = authority
  if (witness === undefined || owner === undefined || disabledBy === witness.id) return
  const [asking, disabling] = await Promise.all([
    store.byId(witness.id),
    disabledBy === null ? undefined : store.byId(disabledBy),
  ])
  const [reach, theirs] = [asking?.key.delegation ?? null, disabling?.key.delegation ?? null]
  if (reach !== null && theirs !== null && delegationCovers(reach, theirs)) return
  throw new LatchkeyError(
    'beyond_delegation',
    'The key was disabled by somebody whose decision this admin key cannot undo.',
  )
}
