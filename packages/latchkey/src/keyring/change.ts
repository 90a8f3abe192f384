import { membersOf, objectOf } from '../input.ts'
import type { AdminScope } from '../policy/admin.ts'
import type { Quota } from '../policy/limits.ts'
import type { Change } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, changeOptions, refuseRevoked } from './changing.ts'
import type { CheckedMembers, KeyMembers } from './members.ts'
import { checkedMembers, checkTogether } from './members.ts'

/** What is to be changed: a member that is left out stays, `null` clears, anything else is set. */
export type KeyPatch<Scope extends string> = Partial<KeyMembers<Scope | AdminScope>>

const changeable = membersOf<KeyMembers<string>>({
  name: true,
  owner: true,
  scopes: true,
  metadata: true,
  notBefore: true,
  expiresAt: true,
  addresses: true,
  limits: true,
  quota: true,
  delegation: true,
})

type QuotaChange = NonNullable<Extract<Change, { kind: 'update' }>['quota']> | null

/** The function behind `Keyring.change`. */
export async function change<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  patch: KeyPatch<Scope>,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  objectOf('A change', patch, changeable)
  objectOf('The options of change', options, changeOptions)
  return changeKey(parts, { id, verb: 'change', asked: patch, options }, ({ key }, { now }) => {
    refuseRevoked(key)
    const members = checkedMembers(parts, key.environment, patch, now)
    const { stored } = members
    const changed = { ...key, ...stored }
    checkTogether(changed)
    const names = Object.keys(stored) as (keyof typeof stored)[]
    const differing = names.filter((name) => JSON.stringify(key[name]) !== JSON.stringify(changed[name]))
    const quota = leftAfter(key.quota, members)
    // What is left is no member, and may be all that changes.
    if (differing.length === 0 && (quota ?? null) === null) return undefined
    const before = Object.fromEntries(differing.map((name) => [name, key[name]]))
    const after = Object.fromEntries(differing.map((name) => [name, changed[name]]))
    const left = quota === undefined ? {} : toldOf(quota)
    return { key: changed, quota, action: 'change', change: { before, after, ...left } }
  })
}

/**
 * What becomes of what is left. Filling up is asked for in so many words (`remaining`), or goes without saying of a quota
 * that is new or has other periods; of any other it grows or shrinks with the quota.
 */
function leftAfter(before: Quota | null, { stored, quota, saysLeft }: CheckedMembers): QuotaChange | undefined {
  const after = stored.quota
  if (quota === undefined || quota === null || after === undefined || after === null || saysLeft) return quota
  if (before === null || before.refill !== after.refill) return quota
  return before.amount === after.amount ? undefined : { more: after.amount - before.amount }
}

function toldOf(quota: QuotaChange): object {
  if (quota === null) return { quotaLeft: null }
  return 'more' in quota ? { quotaMore: quota.more } : { quotaLeft: quota.remaining }
}
