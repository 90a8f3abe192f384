import { randomUUID } from 'node:crypto'
import { LatchkeyError } from '../error.ts'
import type { ChangesSince, Follower, JournalHead, Timer, Touched } from '../ports.ts'
import type { MembersTable } from './members.ts'

/** A follower that is registered as a member, so that changes wait for it. */
export interface Member extends Follower {
  /** Passes on entries that a message from the server has brought. */
  readonly notified: (entries?: readonly Touched[]) => void
  /** Looks at once, unless it has applied everything up to this number. */
  readonly catchUp: (seq: number) => void
}

/** How often a lease is renewed before it ends. */
const renewals = 3

/**
 * One member. A look gives a lease only if the row of the member is in the table, read at the same time: then every change
 * that commits after the look finds the row, and waits for it. So it registers before it looks. It renews by reading only.
 *
 * @param wake - of the cache, which then asks for `changesSince`.
 */
export function memberOf({
  table,
  instance,
  lease,
  after,
  wake,
}: {
  readonly table: Pick<MembersTable, 'register' | 'look' | 'confirm' | 'leave'>
  readonly instance: string
  readonly lease: number
  readonly after: Timer
  readonly wake: (entries?: readonly Touched[]) => void
}): Member {
  let id: string | undefined
  let former: string | undefined
  let isClosed = false
  let applied: JournalHead | undefined
  let confirmed: JournalHead | undefined
  let isConfirming = false
  let stop = after(lease / renewals, renew, 'background')

  function renew(): void {
    stop = after(lease / renewals, renew, 'background')
    wake()
  }

  async function register(): Promise<string> {
    const fresh = randomUUID()
    await table.register({ id: fresh, instance, former })
    former = fresh
    confirmed = undefined
    return fresh
  }

  async function changesSince(seen: JournalHead | undefined): Promise<ChangesSince> {
    let isAnother = false
    // The second time with a row that is new.
    for (let attempt = 0; attempt < 2; attempt++) {
      id ??= await register()
      const { row, isReplica, hashAtSeen, head, changed, imported } = await table.look(id, seen)
      if (isReplica) throw new LatchkeyError('unavailable', 'The database only repeats another one.')
      if (isClosed) throw new LatchkeyError('unavailable', 'The store is closed.')
      isAnother ||= seen !== undefined && hashAtSeen !== seen.hash
      if (row === 'present' && (!isAnother || attempt > 0)) {
        return { head, changed: isAnother ? 'everything' : changed, imported }
      }
      if (isAnother) applied = undefined
      id = undefined
    }
    throw new LatchkeyError('unavailable', 'The database has taken this instance off the list of its members.')
  }

  /** One at a time; the next one takes what was applied last. If it gets lost, the next look repeats it. */
  async function confirm(): Promise<void> {
    isConfirming = true
    try {
      for (;;) {
        const [own, head] = [id, applied]
        if (own === undefined || head === undefined || head.hash === confirmed?.hash) return
        await table.confirm(own, head)
        if (own === id) confirmed = head
      }
    } catch {
      // The change waits for the next one, or until the lease has run out.
    } finally {
      isConfirming = false
    }
  }

  return {
    changesSince,
    applied(head) {
      applied = head
      if (!isConfirming) void confirm()
    },
    notified: wake,
    catchUp(seq) {
      if ((applied?.seq ?? 0) < seq) wake()
    },
    async close() {
      isClosed = true
      stop()
      if (id !== undefined) await table.leave(id)
    },
  }
}
