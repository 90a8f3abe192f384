import { LatchkeyError } from '../error.ts'
import { bounds, invalid, limits, membersOf, note, objectOf, text } from '../input.ts'
import { chain } from '../journal/chain.ts'
import { digestOfOwner } from '../journal/row-digest.ts'
import { subjectOfOwner } from '../journal/subject.ts'
import type { Limit } from '../policy/limits.ts'
import type { Store, StoredOwner } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import { authorityOf } from './authority.ts'
import type { ChangeOptions } from './changing.ts'
import { changeOptions } from './changing.ts'
import { resultBefore, idempotentCallOf } from './idempotency.ts'
import { mustLeaveAnotherOwner } from './last-admin-key.ts'

/** Whom keys belong to. */
export interface Owner {
  readonly owner: string
  /** All its keys are refused. */
  readonly disabled: boolean
  readonly disabledAt: number | null
  /** Shared by all its keys. */
  readonly limits: readonly Limit[]
  /** Grows with every change; what `ifRevision` is compared with. 0 before the first. */
  readonly revision: number
}

/** What is to be changed of an owner: a member that is left out stays, `null` clears. */
export interface OwnerPatch {
  readonly disabled?: boolean
  readonly limits?: readonly Limit[] | null
}

/** A changed owner. */
export interface ChangedOwner {
  readonly owner: Owner
  /** How many milliseconds it took until no instance could act on what was before, which is now. */
  readonly tookMs: number
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
 * An owner exists when a key is its own, or something is kept of it. For an admin key it does when it sees one of its
 * keys, or is bound to it.
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
  if (!known && !(await hasKeyIn(store, owner, environments, clock.now()))) return undefined
  return stored ?? { owner, disabledAt: null, limits: [], revision: 0 }
}

async function hasKeyIn(
  store: Store,
  owner: string,
  environments: readonly string[] | undefined,
  now: number,
): Promise<boolean> {
  const any = { state: undefined, scope: undefined, text: undefined, after: 0, limit: 1 }
  return (await store.list({ ...any, owner, environments, now })).length > 0
}

const changeable = membersOf<OwnerPatch>({ disabled: true, limits: true })

/** How often a change is tried again when somebody else changed the same owner in between. */
const attempts = 16

/** The function behind `Keyring.changeOwner`. */
export async function changeOwner<Scope extends string>(
  parts: KeyringParts<Scope>,
  name: string,
  patch: OwnerPatch,
  options: ChangeOptions,
): Promise<ChangedOwner> {
  const { store, clock, cache } = parts
  objectOf('The options of changeOwner', options, changeOptions)
  const { actor, note: words, ifRevision, idempotencyKey } = options
  const began = clock.monotonic()
  const owner = text('owner', name, bounds.label)
  const author = text('actor', actor ?? parts.authority ?? 'application', bounds.label)
  const remark = note(words)
  objectOf('A change of an owner', patch, changeable)
  const { disabled } = patch
  if (disabled !== undefined && typeof disabled !== 'boolean') throw invalid('disabled', 'true or false')
  const wanted = patch.limits === undefined ? undefined : limits(patch.limits)
  const asked = ['owner', owner, patch, remark, ifRevision]
  const idempotent = idempotentCallOf(parts, { idempotencyKey, actor: author }, asked)

  for (let attempt = 0; attempt < attempts; attempt++) {
    const authority = await authorityOf(parts, 'owners:write')
    const stored = await visibleOwner(parts, authority, owner)
    if (stored === undefined) throw new LatchkeyError('unknown_owner', 'No key has this owner.')
    // What is changed of an owner concerns all its keys.
    if (!authority.everywhere) {
      throw new LatchkeyError('beyond_delegation', 'An owner is changed by who sees the keys of all environments.')
    }
    if ((await resultBefore(store, idempotent)) !== undefined) {
      await store.settled()
      return { owner: ownerOfStored(stored), tookMs: clock.monotonic() - began, repeated: true }
    }
    if (ifRevision !== undefined && ifRevision !== stored.revision) {
      throw new LatchkeyError('precondition_failed', 'The owner was changed since it was read: read it again.')
    }
    const now = clock.now()
    const changed: StoredOwner = {
      ...stored,
      disabledAt: disabled === undefined ? stored.disabledAt : disabled ? (stored.disabledAt ?? now) : null,
      limits: wanted ?? stored.limits,
    }
    // What binds all keys of an owner is no less the operator's word than what binds one of them.
    if (JSON.stringify(changed.limits) !== JSON.stringify(stored.limits)) authority.mustMaySet('limits')
    const before = told(stored)
    const after = told(changed)
    let revision = stored.revision
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      const switched = (stored.disabledAt === null) !== (changed.disabledAt === null)
      const action = !switched ? 'change' : changed.disabledAt === null ? 'enable' : 'disable'
      const left = action === 'disable' ? await mustLeaveAnotherOwner(parts, owner) : undefined
      const change = JSON.stringify({
        before,
        after,
        state: digestOfOwner(changed),
        ...(remark === null ? {} : { note: remark }),
      })
      const draft = { at: now, actor: author, action, subject: subjectOfOwner(owner), change } as const
      const entries = await store.commit([{ kind: 'owner', owner: changed, draft }], chain, {
        idempotent,
        authority: authority.witness,
        left,
      })
      if (entries === undefined) continue
      cache.committed(entries)
      revision = entries[0]?.seq ?? revision
    }
    await store.settled()
    return { owner: ownerOfStored({ ...changed, revision }), tookMs: clock.monotonic() - began, repeated: false }
  }
  throw new LatchkeyError('conflict', 'The owner is being changed by others all the time. Try again.')
}

function told({ disabledAt, limits: shared }: StoredOwner): object {
  return { disabled: disabledAt !== null, limits: shared }
}

function ownerOfStored({ owner, disabledAt, limits: shared, revision }: StoredOwner): Owner {
  return { owner, disabled: disabledAt !== null, disabledAt, limits: shared, revision }
}
