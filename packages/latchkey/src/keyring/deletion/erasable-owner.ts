import { LatchkeyError } from '../../error.ts'
import { bounds } from '../../input.ts'
import { adminEnvironment } from '../../policy/admin.ts'
import type { ListPosition } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf } from '../authority.ts'
import { visibleOwner } from '../owners.ts'

/**
 * Checks that an owner can be erased.
 *
 * @returns its revision.
 * @throws LatchkeyError `unknown_owner`, `precondition_failed`; `conflict` if it is not disabled, or is named elsewhere.
 */
export async function mustBeErasable<Scope extends string>(
  parts: KeyringParts<Scope>,
  { owner, ifRevision }: { readonly owner: string; readonly ifRevision: number | undefined },
): Promise<number> {
  const stored = await visibleOwner(parts, await authorityOf(parts, 'owners:erase'), owner)
  if (stored === undefined) throw new LatchkeyError('unknown_owner', 'No key has this owner.')
  const { revision, disabledAt } = stored
  if (ifRevision !== undefined && ifRevision !== revision) {
    const message = `The owner was changed since it was read. It is at revision ${revision}: read it again.`
    throw new LatchkeyError('precondition_failed', message)
  }
  if (disabledAt === null) {
    const message = 'The owner is not disabled, and only a disabled owner can be erased. Disable it first.'
    throw new LatchkeyError('conflict', message)
  }
  const ofSettings = parts.sources.flatMap(({ keys }) => keys).find((key) => key.owner === owner)
  if (ofSettings !== undefined) {
    const message = `The key ${ofSettings.id}, which comes from the settings, has this owner. Take it out of the settings first.`
    throw new LatchkeyError('conflict', message)
  }
  await mustBindNobody(parts, owner)
  return revision
}

/** Refuses while an admin key of another owner is bound to this one: it would see the keys of the next owner with the name. */
async function mustBindNobody<Scope extends string>(
  { store, clock }: KeyringParts<Scope>,
  owner: string,
): Promise<void> {
  const any = { owner: undefined, states: undefined, grants: undefined, text: undefined, urgent: true }
  for (let after: ListPosition | undefined; ;) {
    const environments = [adminEnvironment]
    const asked = { ...any, environments, now: clock.now(), order: 'oldest', after, limit: bounds.page } as const
    const { items, next } = await store.list(asked)
    const bound = items.find(({ key }) => key.owner !== owner && key.delegation?.owner === owner)
    if (bound !== undefined) {
      const message = `The admin key ${bound.key.id} is bound to this owner. Revoke and erase it first, or bind it to another owner.`
      throw new LatchkeyError('conflict', message)
    }
    if (next === undefined) return
    after = next
  }
}
