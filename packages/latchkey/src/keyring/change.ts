import { objectOf } from '../input.ts'
import type { Quota } from '../policy/limits.ts'
import type { Change } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { ChangeOptions } from './call-options.ts'
import { changeOptions } from './call-options.ts'
import type { Changed } from './change-key.ts'
import { changeKey, refuseRevoked } from './change-key.ts'
import type { CheckedMembers } from './checked-members.ts'
import { checkedMembers, checkTogether } from './checked-members.ts'
import type { KeyPatch } from './members.ts'
import { changeableMembers } from './members.ts'

type QuotaChange = NonNullable<Extract<Change, { kind: 'update' }>['quota']> | null

/** The function behind `Keyring.change`. */
export async function change<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  { patch, options }: { readonly patch: KeyPatch<Scope>; readonly options: ChangeOptions },
): Promise<Changed<Scope>> {
  objectOf('A change', patch, changeableMembers)
  objectOf('The options of change', options, changeOptions)
  const { scopes, environments } = parts
  return changeKey(parts, { id, verb: 'change', asked: patch, options }, ({ key }, { now }) => {
    refuseRevoked(key)
    const members = checkedMembers(patch, { scopes, environments, environment: key.environment, now })
    const { stored } = members
    const changed = { ...key, ...stored }
    checkTogether(changed)
    const names = Object.keys(stored) as (keyof typeof stored)[]
    const differing = names.filter((name) => JSON.stringify(key[name]) !== JSON.stringify(changed[name]))
    const quota = leftAfter(key.quota, members)
    // The remaining amount of a quota is not a member of the key, and may be all that changes.
    if (differing.length === 0 && (quota ?? null) === null) return undefined
    const before = Object.fromEntries(differing.map((name) => [name, key[name]]))
    const after = Object.fromEntries(differing.map((name) => [name, changed[name]]))
    const left = quota === undefined ? {} : entryOf(quota)
    return { key: changed, quota, action: 'change', change: { before, after, ...left } }
  })
}

/**
 * The change of the remaining amount of a quota. It is set if the caller gives it (`remaining`), and filled up if the
 * quota is new or has another period; otherwise it grows or shrinks with the quota.
 */
function leftAfter(before: Quota | null, { stored, quota, saysLeft }: CheckedMembers): QuotaChange | undefined {
  const after = stored.quota
  if (quota === undefined || quota === null || after === undefined || after === null || saysLeft) return quota
  if (before === null || before.refill !== after.refill) return quota
  return before.amount === after.amount ? undefined : { more: after.amount - before.amount }
}

/** The description of a change of the remaining amount of a quota in the journal entry. */
function entryOf(quota: QuotaChange): object {
  if (quota === null) return { quotaLeft: null }
  return 'more' in quota ? { quotaMore: quota.more } : { quotaLeft: quota.remaining }
}
