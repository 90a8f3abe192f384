import type { AdminScope } from '../policy/admin.ts'
import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, changeOptions, refuseRevoked } from './changing.ts'
import { membersOf, plain } from './input.ts'
import type { KeyMembers } from './members.ts'
import { checkedMembers, checkTogether } from './members.ts'
import type { KeyringParts } from './parts.ts'

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

/** The function behind `Keyring.change`. */
export async function change<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  patch: KeyPatch<Scope>,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  plain('A change', patch, changeable)
  plain('The options of change', options, changeOptions)
  return changeKey(parts, { id, verb: 'change', asked: patch, options }, ({ key }, { now }) => {
    refuseRevoked(key)
    const { stored, quota } = checkedMembers(parts, key.environment, patch, now)
    const changed = { ...key, ...stored }
    checkTogether(changed)
    const names = Object.keys(stored) as (keyof typeof stored)[]
    const differing = names.filter((name) => JSON.stringify(key[name]) !== JSON.stringify(changed[name]))
    // A quota that is given is filled up, though it be of the same size.
    if (differing.length === 0 && (quota ?? null) === null) return undefined
    const before = Object.fromEntries(differing.map((name) => [name, key[name]]))
    const after = Object.fromEntries(differing.map((name) => [name, changed[name]]))
    const left = quota === undefined ? {} : { quotaLeft: quota?.remaining ?? null }
    return { key: changed, quota, action: 'change', change: { before, after, ...left } }
  })
}
