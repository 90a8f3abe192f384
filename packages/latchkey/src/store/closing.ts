import { LatchkeyError } from '../error.ts'
import type { Awaitable, Store } from '../ports.ts'
import { underWay } from '../under-way.ts'

/** The methods of a store that write. */
export type WriteName =
  | 'commit'
  | 'spend'
  | 'noteFirstUse'
  | 'recordUsage'
  | 'recordRefusals'
  | 'forgetUse'
  | 'purgeRows'
  | 'claimPurge'
  | 'declare'

/** Writes that come to their end before their store is closed. */
export interface Closing {
  /** The same writes. Once the store is closed, each throws `store_unusable`. */
  readonly writes: Pick<Store, WriteName>
  /** @throws LatchkeyError `store_unusable` once the store is closed. */
  readonly mustBeOpen: () => void
  /** Refuses further writes; resolves when those that have begun are over. */
  readonly close: () => Awaitable<void>
}

/** The error of what is asked after a store was closed. */
export function closedError(database: string): LatchkeyError {
  return new LatchkeyError('store_unusable', `The store on ${database} is closed.`)
}

/** @param database - which one it is, for the error. */
export function closingOf(writes: Pick<Store, WriteName>, database: string): Closing {
  const { during, ended } = underWay()
  let closed = false

  function mustBeOpen(): void {
    if (closed) throw closedError(database)
  }

  function begun<Args extends unknown[], Answer>(write: (...args: Args) => Answer): (...args: Args) => Answer {
    return (...args) => {
      mustBeOpen()
      const answer = write(...args)
      if (answer instanceof Promise) void during(answer)
      return answer
    }
  }

  return {
    mustBeOpen,
    writes: {
      commit: begun(writes.commit),
      spend: begun(writes.spend),
      noteFirstUse: begun(writes.noteFirstUse),
      recordUsage: begun(writes.recordUsage),
      recordRefusals: begun(writes.recordRefusals),
      forgetUse: begun(writes.forgetUse),
      purgeRows: begun(writes.purgeRows),
      claimPurge: begun(writes.claimPurge),
      declare: begun(writes.declare),
    },
    close() {
      closed = true
      return ended()
    },
  }
}
