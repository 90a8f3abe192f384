import { LatchkeyError } from '../error.ts'
import { bounds, invalid, limits, membersOf, objectOf, text } from '../input.ts'
import { digestOfOwner } from '../journal/row-digest.ts'
import { subjectOfOwner } from '../journal/subject.ts'
import type { Limit } from '../policy/limits.ts'
import type { StoredOwner } from '../ports.ts'
import { randomBase62 } from '../secret/base62.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Propagated } from './propagated.ts'
import type { Authority } from './authority.ts'
import { authorityOf } from './authority.ts'
import type { ChangeOptions } from './call-options.ts'
import { changeOptions } from './call-options.ts'
import type { Step } from './changing.ts'
import { makeChange } from './changing.ts'
import { mustLeaveAnotherOwner } from './last-admin-key.ts'

/** An owner of keys. */
export interface Owner {
  /** Its name. */
  readonly owner: string
  /** All its keys are refused. */
  readonly disabled: boolean
  readonly disabledAt: number | null
  /** Shared by all its keys. */
  readonly limits: readonly Limit[]
  /** Grows with every change; `ifRevision` is compared with it. 0 before the first. */
  readonly revision: number
}

/** The members of an owner to change: a member that is left out stays, `null` clears it. */
export interface OwnerPatch {
  /** Whether all its keys are refused. */
  readonly disabled?: boolean
  /** The limits that its keys share, each counted once for all of them. */
  readonly limits?: readonly Limit[] | null
}

/** A changed owner. */
export interface ChangedOwner extends Propagated {
  readonly owner: Owner
  /** The call was made before, with the same `idempotencyKey`. */
  readonly repeated: boolean
}

/** The function behind `Keyring.owner`. */
export async function findOwner<Scope extends string>(
  parts: KeyringParts<Scope>,
  name: string,
): Promise<Owner | undefined> {
  const stored = await visibleOwner(parts, await authorityOf(parts, 'owners:read'), text('owner', name, bounds.label))
  return stored === undefined ? undefined : ownerOfStored(stored)
}

/**
 * The owner as an admin key sees it. An owner exists if it has a key, or if more than its name is kept. An admin key sees
 * an owner if it sees one of its keys, or is bound to it.
 */
export async function visibleOwner<Scope extends string>(
  { store, clock }: KeyringParts<Scope>,
  authority: Authority,
  owner: string,
): Promise<StoredOwner | undefined> {
  if (authority.owner !== undefined && authority.owner !== owner) return undefined
  const { environments } = authority
  if (environments?.length === 0) return undefined
  const stored = await store.owner(owner)
  const known = stored !== undefined && (authority.everywhere || authority.owner === owner)
  if (!known) {
    const any = { states: undefined, grants: undefined, text: undefined, after: undefined, limit: 1, urgent: true }
    const { items } = await store.list({ ...any, owner, environments, order: 'oldest', now: clock.now() })
    if (items.length === 0) return undefined
  }
  return stored ?? { owner, disabledAt: null, limits: [], revision: 0 }
}

const changeable = membersOf<OwnerPatch>({ disabled: true, limits: true })

/** The function behind `Keyring.changeOwner`. */
export async function changeOwner<Scope extends string>(
  parts: KeyringParts<Scope>,
  name: string,
  { patch, options }: { readonly patch: OwnerPatch; readonly options: ChangeOptions },
): Promise<ChangedOwner> {
  objectOf('The options of changeOwner', options, changeOptions)
  const owner = text('owner', name, bounds.label)
  objectOf('A change of an owner', patch, changeable)
  const { disabled } = patch
  if (disabled !== undefined && typeof disabled !== 'boolean') throw invalid('disabled', 'true or false')
  const shared = patch.limits === undefined ? undefined : patch.limits === null ? [] : limits(patch.limits)

  // Limits may be agreed on before the first key. But whoever only disables an owner of whom nothing is known has mistyped
  // the name, and must not believe that it is done.
  const makesOwner = shared !== undefined

  const call = { verb: 'owner', id: owner, asked: patch, options }
  const { before, result, revision, propagation, lapsedInstances, repeated } = await makeChange(parts, call, {
    scope: 'owners:write',
    async read(authority) {
      const stored =
        (await visibleOwner(parts, authority, owner)) ?? (makesOwner ? unknownTo(authority, owner) : undefined)
      if (stored === undefined) throw new LatchkeyError('unknown_owner', 'No key has this owner.')
      // A change of an owner concerns all its keys.
      if (authority.everywhere) return stored
      throw new LatchkeyError(
        'beyond_delegation',
        'Changing an owner needs an admin key whose delegation covers all environments.',
      )
    },
    revisionOf: (stored) => stored.revision,
    async decide(stored, { now, authority }) {
      // The store does not keep who disabled the owner. It may have been the operator, whose decision the owner must
      // not undo.
      if (authority.owner !== undefined && disabled === false && stored.disabledAt !== null) {
        throw new LatchkeyError(
          'beyond_delegation',
          'An admin key that is bound to an owner cannot enable the owner: that needs one that is bound to none.',
        )
      }
      const changed: StoredOwner = {
        ...stored,
        disabledAt: disabled === undefined ? stored.disabledAt : disabled ? (stored.disabledAt ?? now) : null,
        limits: shared ?? stored.limits,
      }
      // A limit of an owner binds all its keys: it needs the same right as a limit of one key.
      if (JSON.stringify(changed.limits) !== JSON.stringify(stored.limits)) authority.mustMaySet('limits')
      return { step: await stepOf(parts, stored, changed), result: changed }
    },
    texts: {
      stale: () => 'The owner was changed since it was read: read it again.',
      contended: 'The owner is being changed by others all the time. Try again.',
    },
  })
  const changed = result ?? before
  const now = ownerOfStored({ ...changed, revision: revision ?? changed.revision })
  return { owner: now, propagation, lapsedInstances, repeated }
}

/** An owner that has neither a key nor a record, for those who may make one: others do not learn that it has none. */
function unknownTo(authority: Authority, owner: string): StoredOwner | undefined {
  if (!authority.everywhere || (authority.owner ?? owner) !== owner) return undefined
  return { owner, disabledAt: null, limits: [], revision: 0 }
}

/** @throws LatchkeyError `conflict`. */
async function stepOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  stored: StoredOwner,
  changed: StoredOwner,
): Promise<Step | undefined> {
  const { owner } = stored
  const [before, after] = [entryOf(stored), entryOf(changed)]
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined
  const isSwitched = (stored.disabledAt === null) !== (changed.disabledAt === null)
  const action = !isSwitched ? 'change' : changed.disabledAt === null ? 'enable' : 'disable'
  return {
    action,
    subject: subjectOfOwner(owner),
    // Nothing in the row of an owner is random: without a salt, the hash of an emptied entry would confirm a guess of it.
    change: { before, after, salt: randomBase62(22), state: digestOfOwner(changed) },
    rows: (draft) => ({ kind: 'owner', owner: changed, draft }),
    left: action === 'disable' ? await mustLeaveAnotherOwner(parts, owner) : undefined,
  }
}

/** The description of an owner in the journal entry. */
function entryOf({ disabledAt, limits: shared }: StoredOwner): object {
  return { disabled: disabledAt !== null, limits: shared }
}

/** Shows an owner. */
export function ownerOfStored({ owner, disabledAt, limits: shared, revision }: StoredOwner): Owner {
  return { owner, disabled: disabledAt !== null, disabledAt, limits: shared, revision }
}
