import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Store } from '../ports.ts'
import { chain } from './chain.ts'
import { digestOfKey, digestOfOwner } from './row-digest.ts'
import { ownerOfSubject } from './subject.ts'

/** Keys and owners in one entry. */
const piece = 500

/** The content of a snapshot: the subjects and the digests of their rows. */
export interface Snapshot {
  readonly rows: readonly (readonly [subject: string, digest: string])[]
}

/**
 * Writes into the journal how keys and owners stand that an older version of Latchkey has stored without saying so. From
 * then on, `verifyJournal({ rows: true })` finds a change of them by anything but a verb. `openKeyring` does this by
 * itself, and so does `latchkey migrate`. It works in pieces; if it was interrupted, it goes on from there.
 *
 * @returns how many keys and owners were written.
 *
 * @example
 * const written = await snapshotRows({ store, clock: systemClock })
 * console.log(`The journal now says how ${written} keys and owners stand`)
 */
export async function snapshotRows({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
}): Promise<number> {
  let count = 0
  for (;;) {
    const subjects = await store.withoutSnapshot(piece)
    if (subjects.length === 0) return count
    const found = await Promise.all(subjects.map(async (subject) => rowOf(store, subject)))
    const rows = found.map(({ subject, digest }) => [subject, digest] as const)
    const draft = {
      at: clock.now(),
      actor: 'latchkey',
      action: 'snapshot',
      subject: 'snapshot',
      change: JSON.stringify({ rows } satisfies Snapshot),
    } as const
    const seen = found.map(({ subject, revision }) => ({ subject, revision }))
    // If a row was changed meanwhile, or another process was quicker, the next try reads the rows anew.
    if ((await store.commit([{ kind: 'snapshot', rows: seen, draft }], chain)) !== undefined) count += seen.length
    await nextTurn()
  }
}

async function rowOf(
  store: Store,
  subject: string,
): Promise<{ readonly subject: string; readonly revision: number; readonly digest: string }> {
  const kept = await store.byId(subject)
  if (kept !== undefined) {
    return { subject, revision: kept.key.revision, digest: digestOfKey(kept.key, kept.secrets) }
  }
  const owner = await store.owner(ownerOfSubject(subject))
  if (owner === undefined) return { subject, revision: 0, digest: '' }
  return { subject, revision: owner.revision, digest: digestOfOwner(owner) }
}
