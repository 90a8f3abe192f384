import { LatchkeyError } from '../error.ts'
import { bounds, note, text } from '../input.ts'
import { chain } from '../journal/chain.ts'
import type { AdminScope } from '../policy/admin.ts'
import type { Action, Awaitable, Change, IdempotentResult, JournalDraft, Witness } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import { authorityOf } from './authority.ts'
import type { ChangeOptions } from './call-options.ts'
import { idempotentCallOf, resultBefore } from './idempotency.ts'
import { untilUndisturbed } from './optimistic.ts'
import type { Propagated } from './propagated.ts'
import { propagated, unsettled } from './propagated.ts'

/** A change of one thing, as a caller requests it. */
export interface ChangeCall {
  readonly verb: string
  /** The id of the key, or the name of the owner. */
  readonly id: string
  /** The rest of the caller's request. A call with the same idempotency key and another request is refused. */
  readonly asked?: unknown
  readonly options: ChangeOptions
  /** Whether `decide` is called even if the same call was made before. */
  readonly again?: boolean
  /**
   * Whether to wait until no instance can act on the state before; `false` for a caller that waits once for many
   * changes.
   */
  readonly settle?: boolean
  /** Only checks whether the change can be made, and does not make it. */
  readonly isRehearsal?: boolean
}

/** The state that a verb decides on. */
export interface Sight<Thing> {
  readonly now: number
  readonly authority: Authority
  /** The result of the same call when it was made before. Only for a call with `again`. */
  readonly done: IdempotentResult | undefined
  /** The thing as the first attempt saw it, before another caller changed it. */
  readonly first: Thing
}

/** A change that is ready to be committed. */
export interface Step {
  readonly action: Action
  /** The subject of the journal entry. */
  readonly subject: string
  /** The description of the change in the journal entry. */
  readonly change: object
  /** The rows to be written with that journal entry. */
  readonly rows: (draft: JournalDraft) => Change
  /** An admin key that must still be there when the change is made. */
  readonly left: Witness | undefined
}

/** A step, or `undefined` to leave the thing as it is; and the answer of the verb. */
export interface Decision<NextStep, Result> {
  readonly step: NextStep | undefined
  readonly result: Result
}

/** How things of one kind are changed. */
export interface Changing<Thing, Result> {
  /** The scope that an admin key needs. */
  readonly scope: AdminScope
  /**
   * Reads the thing.
   *
   * @throws LatchkeyError if it is not there, or if this admin key may not change it.
   */
  readonly read: (authority: Authority) => Promise<Thing>
  readonly revisionOf: (thing: Thing) => number
  readonly decide: (thing: Thing, sight: Sight<Thing>) => Awaitable<Decision<Step, Result>>
  /** The texts of two errors: the thing is at another revision than `ifRevision`, or others change it again and again. */
  readonly texts: { readonly stale: (revision: number) => string; readonly contended: string }
}

/** A change that was made, or was not needed. */
export interface Made<Thing, Result> extends Propagated {
  /** The thing as it was before. */
  readonly before: Thing
  /** The answer that the verb decided on; `undefined` if the call was made before and `decide` was not called. */
  readonly result: Result | undefined
  /** The revision that the thing has now, if it was changed. */
  readonly revision: number | undefined
  readonly repeated: boolean
}

/**
 * Changes one thing: reads it, calls `decide`, makes the change that it returns, and waits until no instance can act on
 * the state before. It begins again if another caller has meanwhile changed the thing, or the admin key of this call.
 *
 * @throws LatchkeyError `invalid_input`, `precondition_failed`, `beyond_delegation`, `idempotency_key_reused`, `conflict`,
 *   and what `read` and `decide` throw.
 */
export async function makeChange<Scope extends string, Thing, Result>(
  parts: KeyringParts<Scope>,
  { verb, id, asked, options, again = false, settle = true, isRehearsal = false }: ChangeCall,
  { scope, read, revisionOf, decide, texts }: Changing<Thing, Result>,
): Promise<Made<Thing, Result>> {
  const { store, clock, cache } = parts
  const { ifRevision, idempotencyKey } = options
  const actor = text('actor', options.actor ?? parts.authority ?? 'application', bounds.label)
  const remark = note(options.note)
  const idempotent = idempotentCallOf(parts, { idempotencyKey, actor }, [verb, id, asked, remark, ifRevision])
  let first: Thing | undefined

  const made = await untilUndisturbed(async () => {
    const authority = await authorityOf(parts, scope)
    const before = await read(authority)
    first ??= before
    const done = await resultBefore(store, idempotent)
    const repeated = done !== undefined
    if (!repeated && ifRevision !== undefined && ifRevision !== revisionOf(before)) {
      throw new LatchkeyError('precondition_failed', texts.stale(revisionOf(before)))
    }
    const now = clock.now()
    const decision = !repeated || again ? await decide(before, { now, authority, done, first }) : undefined
    const result = decision?.result
    if (isRehearsal || decision?.step === undefined)
      return { before, result, revision: undefined, hash: undefined, repeated }
    const { action, subject, change, rows, left } = decision.step
    const entry = JSON.stringify({ ...change, ...(remark === null ? {} : { note: remark }) })
    const entries = await store.commit([rows({ at: now, actor, action, subject, change: entry })], chain, {
      idempotent: idempotent === undefined ? undefined : { ...idempotent, after: done?.seq },
      authority: authority.witness,
      left,
    })
    if (entries === undefined) return undefined
    cache.committed(entries)
    const [placed] = entries
    return { before, result, revision: placed?.seq, hash: placed?.hash, repeated }
  }, texts.contended)
  const { hash, ...others } = made
  // Wait even if nothing changed: another caller may just have made the same change, and its wait may not be over.
  const seq = made.revision ?? revisionOf(made.before)
  return { ...others, ...(settle ? propagated(await store.settled(seq, hash)) : unsettled) }
}
