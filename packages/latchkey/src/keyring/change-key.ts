import { LatchkeyError } from '../error.ts'
import { bounds, text } from '../input.ts'
import { digestOfKey, secretsAfter } from '../journal/row-digest.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Action, Awaitable, Change, KeyRecord, StoredKey } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import type { ChangeCall, Decision, Sight, Step } from './changing.ts'
import { makeChange } from './changing.ts'
import type { KeyDetails } from './key.ts'
import { keyOfKept } from './key.ts'
import { mustLeaveAnAdminKey } from './last-admin-key.ts'
import type { Propagated } from './propagated.ts'

/** A changed key. */
export interface Changed<Scope extends string = string> extends Propagated {
  readonly key: KeyDetails<Scope>
  /** The call was made before, with the same `idempotencyKey`. */
  readonly repeated: boolean
}

/** The change that a verb makes to a key. */
export type KeyUpdate = Omit<Extract<Change, { kind: 'update' }>, 'kind' | 'draft'> & {
  readonly action: Action
  /** The description of the change in the journal entry. */
  readonly change: object
}

/** The settings of a change that is one of several. */
export interface Part {
  /** `false` for all but the last change: waiting for the last is enough. */
  readonly settle?: boolean
  /**
   * Looks whether the change can be made, and makes nothing: whatever forbids one of several changes should be found
   * before the first is made. The ids are those of all keys that will be changed.
   */
  readonly rehearsedWith?: ReadonlySet<string>
}

/** A change of a key, as a caller asks for it. */
type KeyCall = Omit<ChangeCall, 'isRehearsal'> & Part & { readonly verb: Action }

/** Actions that take something away: an admin key may do them to any key it sees, except to admin keys above it. */
const takesAway: ReadonlySet<Action> = new Set(['revoke', 'disable', 'retire'])

/**
 * Changes one key, as `makeChange` does.
 *
 * @param decide - answers `undefined` when nothing is to be done.
 * @throws LatchkeyError as `makeChange`; `unknown_key`.
 */
export async function changeKey<Scope extends string>(
  parts: KeyringParts<Scope>,
  call: KeyCall,
  decide: (kept: KeyRecord, sight: Sight<KeyRecord>) => Awaitable<KeyUpdate | undefined>,
): Promise<Changed<Scope>> {
  const { result: _, ...changed } = await changeKeyWithResult(parts, call, async (kept, sight) => {
    return { step: await decide(kept, sight), result: undefined }
  })
  return changed
}

/** As `changeKey`, for a verb that answers with more than the key. */
export async function changeKeyWithResult<Scope extends string, Result>(
  parts: KeyringParts<Scope>,
  call: KeyCall,
  decide: (kept: KeyRecord, sight: Sight<KeyRecord>) => Awaitable<Decision<KeyUpdate, Result>>,
): Promise<Changed<Scope> & { readonly result: Result | undefined }> {
  const { store, clock } = parts
  const { rehearsedWith, ...others } = call
  const id = text('id', call.id, bounds.label)
  const { before, result, propagation, lapsedInstances, repeated } = await makeChange(
    parts,
    { ...others, id, isRehearsal: rehearsedWith !== undefined },
    {
      scope: 'keys:write',
      async read(authority) {
        const kept = await store.byId(id)
        if (kept === undefined || !authority.sees(kept.key))
          throw new LatchkeyError('unknown_key', 'No key has this id.')
        return kept
      },
      revisionOf: ({ key }) => key.revision,
      async decide(kept, sight) {
        const decision = await decide(kept, sight)
        const { step: update } = decision
        const step =
          update === undefined
            ? undefined
            : await stepOf(parts, { kept, update, authority: sight.authority, going: rehearsedWith })
        return { step, result: decision.result }
      },
      texts: {
        stale: (revision) => `The key was changed since it was read. It is at revision ${revision}: read it again.`,
        contended: 'The key is being changed by others all the time. Try again.',
      },
    },
  )
  const now = (await store.byId(id)) ?? before
  return { key: keyOfKept(now, clock.now()), propagation, lapsedInstances, repeated, result }
}

/** @throws LatchkeyError `beyond_delegation`, `conflict`. */
async function stepOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  {
    kept,
    update,
    authority,
    going,
  }: {
    readonly kept: KeyRecord
    readonly update: KeyUpdate
    readonly authority: Authority
    readonly going: ReadonlySet<string> | undefined
  },
): Promise<Step> {
  const { action, change, ...rows } = update
  if (!takesAway.has(action)) authority.mustCover(rows.key, kept.key)
  // A quota that is filled up again lets more through, even if its amount and period stay the same.
  if ((rows.quota ?? null) !== null) authority.mustMaySet('quota')
  if (kept.key.environment === adminEnvironment) authority.mustCover(kept.key, kept.key)
  const left = await mustLeaveAnAdminKey(parts, { kept, after: rows.key, going })
  const state = digestOfKey(rows.key, secretsAfter(kept.secrets, rows.secrets))
  return {
    action,
    subject: kept.key.id,
    change: { ...change, state },
    rows: (draft) => ({ kind: 'update', ...rows, draft }),
    left,
  }
}

/** Revoked is final: any other change of the key is refused. */
export function refuseRevoked({ revokedAt }: StoredKey): void {
  if (revokedAt !== null) throw new LatchkeyError('conflict', 'The key is revoked, which is final. Issue a new one.')
}
