import { LatchkeyError } from '../../error.ts'
import { bounds, objectOf, text } from '../../input.ts'
import { emptied } from '../../journal/emptied.ts'
import { adminEnvironment } from '../../policy/admin.ts'
import type { KeyRecord } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { Authority } from '../authority.ts'
import { authorityOf } from '../authority.ts'
import type { EraseOptions } from '../call-options.ts'
import { eraseOptions } from '../call-options.ts'
import type { Erased } from './erasing.ts'
import { clear, erasingSteps } from './erasing.ts'
import { idempotentCallOf, resultBefore } from '../idempotency.ts'
import { untilUndisturbed } from '../optimistic.ts'
import { propagated } from '../propagated.ts'

/** The function behind `Keyring.eraseKey`. If it is interrupted, the same call again finishes it. */
export async function eraseKey<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: EraseOptions,
): Promise<Erased> {
  const { store } = parts
  objectOf('The options of eraseKey', options, eraseOptions)
  text('id', id, bounds.label)
  const { ifRevision, idempotencyKey } = options
  const actor = text('actor', options.actor ?? parts.authority ?? 'application', bounds.label)
  const idempotent = idempotentCallOf(parts, { idempotencyKey, actor }, ['erase', id, ifRevision])

  const done = await untilUndisturbed(async () => {
    const authority = await authorityOf(parts, 'keys:erase')
    const before = await resultBefore(store, idempotent)
    if (before !== undefined) return { entry: before.seq, hash: undefined, repeated: true }
    const kept = mustBeErasable(await store.byId(id), { authority, ifRevision })
    const { revision } = kept.key
    // Before each transaction anew: the admin key may have been bound to something else meanwhile.
    const mayErase = async (): Promise<Authority['witness']> => {
      const now = await authorityOf(parts, 'keys:erase')
      mustBeErasable(kept, { authority: now, ifRevision })
      return now.witness
    }
    const { commit, change, forgetUse, allButLast } = erasingSteps(parts, {
      actor,
      mayErase,
      empty: (entry) => emptied(entry),
    })
    await forgetUse({ key: id })
    const last = await allButLast(id)
    if (last === undefined) return undefined
    const [entry] = (await commit([change(last, { subject: id, key: { id, revision } })], idempotent)) ?? []
    return entry === undefined ? undefined : { entry: entry.seq, hash: entry.hash, repeated: false }
  }, 'The key is being changed by others all the time. Try again.')
  const settled = propagated(await store.settled(done.entry, done.hash))
  const cleared = await clear(store)
  return { entry: done.entry, cleared, ...settled, repeated: done.repeated }
}

/** @throws LatchkeyError `unknown_key`, `precondition_failed`, `beyond_delegation`, `conflict`. */
function mustBeErasable(
  kept: KeyRecord | undefined,
  { authority, ifRevision }: { readonly authority: Authority; readonly ifRevision: number | undefined },
): KeyRecord {
  if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
  const { key } = kept
  if (key.environment === adminEnvironment) authority.mustCover(key, key)
  if (ifRevision !== undefined && ifRevision !== key.revision) {
    const message = `The key was changed since it was read. It is at revision ${key.revision}: read it again.`
    throw new LatchkeyError('precondition_failed', message)
  }
  if (key.revokedAt !== null) return kept
  throw new LatchkeyError('conflict', 'The key is not revoked, and only a revoked key can be erased. Revoke it first.')
}
