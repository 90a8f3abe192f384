import { LatchkeyError } from '../error.ts'
import { bounds, membersOf, note, text } from '../input.ts'
import { chain } from '../journal/chain.ts'
import { digestOfKey, secretsAfter } from '../journal/row-digest.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Action, Awaitable, Change, KeyRecord, IdempotentResult, StoredKey } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import { authorityOf } from './authority.ts'
import type { IdempotencyOptions } from './idempotency.ts'
import { resultBefore, idempotentCallOf } from './idempotency.ts'
import type { KeyDetails } from './key.ts'
import { keyOfKept } from './key.ts'
import { mustLeaveAnAdminKey } from './last-admin-key.ts'

/** How often a change is tried again when somebody else changed the same thing in between. */
const attempts = 16

/** What every change takes. */
export interface ChangeOptions extends IdempotencyOptions {
  /** Who does it, for the journal. `application` if left out. */
  readonly actor?: string
  /** In your own words, for those who read the journal. At most 500 characters. */
  readonly note?: string
  /** Only if the key is at this revision, and nobody has changed it since it was read. */
  readonly ifRevision?: number
}

/** The names of the options that every change takes. */
export const changeOptions: readonly string[] = membersOf<ChangeOptions>({
  actor: true,
  note: true,
  ifRevision: true,
  idempotencyKey: true,
})

/** A changed key. */
export interface Changed<Scope extends string = string> {
  readonly key: KeyDetails<Scope>
  /** How many milliseconds it took until no instance could act on what was before, which is now. */
  readonly tookMs: number
  /** The call was made before, with the same `idempotencyKey`. */
  readonly repeated: boolean
}

/** What a verb decides to do with a key, once it has seen it. */
export type Decision = Omit<Extract<Change, { kind: 'update' }>, 'kind' | 'draft'> & {
  readonly action: Action
  /** What the journal tells of it. */
  readonly change: object
}

/** What is asked of one key, by a verb. */
export interface Asked {
  readonly id: string
  readonly verb: Action
  /** What is asked for besides: with the same idempotency key, something else is another call. */
  readonly asked?: unknown
  readonly options: ChangeOptions
}

/** How a change is made that is one of several. */
export interface Part {
  /** Whether it is waited for; the last of several is enough. */
  readonly settle?: boolean
  /**
   * Looks whether it can be made, and makes nothing: what stands in the way of one of several should be found before the
   * first. The ids are those of all keys that will be changed.
   */
  readonly rehearsedWith?: ReadonlySet<string>
}

/** What a verb sees when it decides. */
export interface Sight {
  readonly now: number
  readonly authority: Authority
  /** What the same call has brought about already. Only for a verb that says `again`. */
  readonly done: IdempotentResult | undefined
}

/** Actions that take something away: an admin key may do them to any key it sees, but for admin keys above it. */
const takesAway: ReadonlySet<Action> = new Set(['revoke', 'disable', 'retire'])

/**
 * Changes one key: sees it, lets `decide` say what is to be done, does it, and waits until no instance can still be
 * acting on what was before. If somebody else changed the key in between, or the admin key that asks for it, begins anew
 * with what they left.
 *
 * @param decide - `undefined` when nothing is to be done. With `again`, it is asked too when the call was made before.
 * @throws LatchkeyError `invalid_input`, `unknown_key`, `precondition_failed`, `beyond_delegation`, `idempotency_key_reused`,
 *   `conflict`, and what `decide` throws.
 */
export async function changeKey<Scope extends string>(
  parts: KeyringParts<Scope>,
  {
    id,
    verb,
    asked,
    options,
    again = false,
    settle = true,
    rehearsedWith,
  }: Asked & Part & { readonly again?: boolean },
  decide: (kept: KeyRecord, sight: Sight) => Awaitable<Decision | undefined>,
): Promise<Changed<Scope>> {
  const { store, clock, cache } = parts
  const { actor, note: words, ifRevision, idempotencyKey } = options
  const began = clock.monotonic()
  const subject = text('id', id, bounds.label)
  const author = text('actor', actor ?? parts.authority ?? 'application', bounds.label)
  const remark = note(words)
  const idempotent = idempotentCallOf(parts, { idempotencyKey, actor: author }, [
    verb,
    subject,
    asked,
    remark,
    ifRevision,
  ])

  for (let attempt = 0; attempt < attempts; attempt++) {
    const authority = await authorityOf(parts, 'keys:write')
    const kept = await store.byId(subject)
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
    const done = await resultBefore(store, idempotent)
    if (done === undefined && ifRevision !== undefined && ifRevision !== kept.key.revision) {
      const now = `It is at revision ${kept.key.revision}`
      throw new LatchkeyError('precondition_failed', `The key was changed since it was read. ${now}: read it again.`)
    }
    const now = clock.now()
    const decision = done === undefined || again ? await decide(kept, { now, authority, done }) : undefined
    if (decision !== undefined) {
      const { action, change, ...update } = decision
      if (!takesAway.has(action)) authority.mustCover(update.key, kept.key)
      // Filled up anew, a quota that stays what it is lets more through.
      if ((update.quota ?? null) !== null) authority.mustMaySet('quota')
      if (kept.key.environment === adminEnvironment) authority.mustCover(kept.key, kept.key)
      const left = await mustLeaveAnAdminKey(parts, { kept, after: update.key, going: rehearsedWith })
      if (rehearsedWith !== undefined) return { key: keyOfKept(kept, now), tookMs: 0, repeated: false }
      const state = digestOfKey(update.key, secretsAfter(kept.secrets, update.secrets))
      const told = JSON.stringify({ ...change, state, ...(remark === null ? {} : { note: remark }) })
      const draft = { at: now, actor: author, action, subject, change: told }
      const entries = await store.commit([{ kind: 'update', ...update, draft }], chain, {
        idempotent: idempotent === undefined ? undefined : { ...idempotent, after: done?.seq },
        authority: authority.witness,
        left,
      })
      if (entries === undefined) continue
      cache.committed(entries)
    }
    // Also when there was nothing to do: whoever did it may still be waiting for the others.
    if (settle) await store.settled()
    const left = (await store.byId(subject)) ?? kept
    return { key: keyOfKept(left, clock.now()), tookMs: clock.monotonic() - began, repeated: done !== undefined }
  }
  throw new LatchkeyError('conflict', 'The key is being changed by others all the time. Try again.')
}

/** Revoked is final: whatever else is asked of the key is refused. */
export function refuseRevoked({ revokedAt }: StoredKey): void {
  if (revokedAt !== null) throw new LatchkeyError('conflict', 'The key is revoked, which is final. Issue a new one.')
}
