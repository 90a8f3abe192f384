import { digestOfKey, digestOfOwner } from '../../journal/row-digest.ts'
import { isOwner, ownerOfSubject } from '../../journal/subject.ts'
import type { Change, JournalEntry, KeyRecord, Store } from '../../ports.ts'
import { randomBase62 } from '../../secret/base62.ts'
import type { ErasingSteps } from './erasing.ts'

/**
 * The change that tells how a key or an owner stands whose last entry is emptied: the chain does not cover what is left of
 * that one. None if another entry tells it, or the row is there no longer.
 */
export async function restated(
  store: Pick<Store, 'byId' | 'owner'>,
  { seq, subject }: JournalEntry,
  draft: ErasingSteps['draft'],
): Promise<readonly Change[]> {
  if (isOwner(subject)) {
    const owner = await store.owner(ownerOfSubject(subject))
    if (owner?.revision !== seq) return []
    const change = JSON.stringify({ salt: randomBase62(22), state: digestOfOwner(owner) })
    return [{ kind: 'owner', owner, draft: draft(subject, [], { action: 'change', change }) }]
  }
  const kept = await store.byId(subject)
  return kept?.key.revision === seq ? [restatedKey(kept, draft)] : []
}

/** The same of a key, which gets a new salt: with the old one, the hash of an emptied entry would confirm a guess of it. */
export function restatedKey({ key: stored, secrets }: KeyRecord, draft: ErasingSteps['draft']): Change {
  const key = { ...stored, salt: randomBase62(22) }
  const change = JSON.stringify({ salted: true, state: digestOfKey(key, secrets) })
  return { kind: 'update', key, draft: draft(key.id, [], { action: 'change', change }) }
}
