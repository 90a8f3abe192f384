import { objectOf, quotaStep } from '../input.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { ChangeOptions } from './call-options.ts'
import { changeOptions } from './call-options.ts'
import type { Changed } from './change-key.ts'
import { changeKey, refuseRevoked } from './change-key.ts'
import { checkedMembers, checkTogether } from './checked-members.ts'
import type { KeyMembers, KeyPatch } from './members.ts'
import { changeableMembers } from './members.ts'
import { quotaAfter, quotaAfterStep, quotaEntry } from './quota-change.ts'

/** The function behind `Keyring.change`. */
export async function change<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  { patch, options }: { readonly patch: KeyPatch<Scope>; readonly options: ChangeOptions },
): Promise<Changed<Scope>> {
  objectOf('A change', patch, changeableMembers)
  objectOf('The options of change', options, changeOptions)
  const { scopes, environments } = parts
  return changeKey(parts, { id, verb: 'change', asked: patch, options }, ({ key, quotas }, { now }) => {
    refuseRevoked(key)
    const { quota: asked, ...others } = patch
    const added = quotaStep(asked)
    const members = checkedMembers(
      // The cast is safe: a step of the quota is left out, and the rest is not of that type.
      (added === undefined ? patch : others) as Partial<KeyMembers<string>>,
      { scopes, environments, environment: key.environment, metadata: key.metadata, now },
    )
    const { stored } = members
    const changed = { ...key, ...stored }
    checkTogether(changed)
    const names = Object.keys(stored) as (keyof typeof stored)[]
    const differing = names.filter((name) => JSON.stringify(key[name]) !== JSON.stringify(changed[name]))
    const quota =
      added === undefined ? quotaAfter(key.quota, members) : quotaAfterStep(added, { quota: key.quota, quotas, now })
    // The remaining amount of a quota is not a member of the key, and may be all that changes.
    if (differing.length === 0 && (quota ?? null) === null) return undefined
    const before = Object.fromEntries(differing.map((name) => [name, key[name]]))
    const after = Object.fromEntries(differing.map((name) => [name, changed[name]]))
    const left = quota === undefined ? {} : quotaEntry(quota)
    return { key: changed, quota, action: 'change', change: { before, after, ...left } }
  })
}
