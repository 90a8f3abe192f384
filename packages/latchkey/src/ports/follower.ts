import type { Awaitable } from './awaitable.ts'
import type { ChangesSince, JournalHead } from './journal.ts'

/** Follows the journal for one cache. */
export interface Follower {
  /**
   * The changes after the head that the cache has applied last; all changes for `undefined`. It must be cheap when nothing
   * has changed. Its answer is what the cache may take a lease by, from the time at which it was asked: a change that it
   * does not name must not be settled before that lease has run out.
   *
   * A journal without that head, because it is shorter or has another hash at its number, is not the one that was seen:
   * a backup was restored, or an instance that was behind has taken over. Earlier reads are worthless then, even if the
   * sequence numbers continue: `everything` has changed. It throws or rejects if it cannot determine what has changed.
   */
  changesSince(after: JournalHead | undefined): Awaitable<ChangesSince>
  /** The cache has forgotten all that was changed up to this head: no change up to it need wait for this cache. */
  applied(head: JournalHead): void
  /** The cache has given up its lease and takes no other. No method is called afterwards. */
  close(): Awaitable<void>
}

/** How a change has come to all instances. */
export interface Propagation {
  /** How many caches there were, the one of this keyring among them; `null` if the store does not know. */
  readonly instances: number | null
  /** How many of them have forgotten what was before. */
  readonly confirmed: number
  /** How many have not said so until their lease had run out. They accept nothing before they have caught up. */
  readonly lapsed: number
  /** The names of the instances that have lapsed. */
  readonly lapsedInstances: readonly string[]
  /** Milliseconds that the change has waited for them. */
  readonly waitedMs: number
}
