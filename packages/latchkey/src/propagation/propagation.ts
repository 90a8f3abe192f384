import type { Clock, Store, Timer, Touched } from '../ports.ts'
import type { Member } from './member.ts'
import { memberOf } from './member.ts'
import type { MembersTable } from './members.ts'
import { settlingOf } from './settling.ts'

/** How a store across a network follows the journal, and settles changes. */
export interface Propagating extends Pick<Store, 'follow' | 'settled'> {
  /** Passes on entries that a message from the server has brought, to all caches of this store. */
  readonly notified: (entries?: readonly Touched[]) => void
  /** Gives up what still waits. The followers are closed by their caches. */
  readonly close: () => void
}

/**
 * The propagation of changes to all instances of one database. A change is answered when every member has confirmed it, or
 * when no lease can be left of those that have not. A lost, late or missing confirmation, message or connection only makes
 * it slower: leases alone make it right.
 *
 * @param lease - milliseconds. A change waits as long for an instance that is gone, once.
 * @param instance - the name of this instance, for people.
 */
export function propagationOf({
  table,
  lease,
  instance,
  clock,
  after,
}: {
  readonly table: MembersTable
  readonly lease: number
  readonly instance: string
  readonly clock: Pick<Clock, 'monotonic'>
  readonly after: Timer
}): Propagating {
  const members = new Set<Member>()
  const settling = settlingOf({ table, lease, clock, after })
  return {
    follow(wake) {
      const member = memberOf({ table, instance, lease, after, wake })
      members.add(member)
      return {
        ...member,
        async close() {
          members.delete(member)
          await member.close()
        },
      }
    },
    async settled(seq, hash) {
      // Our own caches are waited for too, and need no message to know of it.
      for (const member of members) member.catchUp(seq)
      return settling.settled(seq, hash)
    },
    notified(entries) {
      for (const member of members) member.notified(entries)
    },
    close: settling.close,
  }
}
