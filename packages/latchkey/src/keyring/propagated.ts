import type { Propagation } from '../ports.ts'

/** How a change has come to all instances by the time it is answered. */
export interface Propagated {
  readonly propagation: {
    /** How many instances there were, this one included; `null` if the store does not know, as on SQLite. */
    readonly instances: number | null
    /** How many of them have forgotten what was before. */
    readonly confirmed: number
    /** How many have not said so in time. They accept nothing until they have caught up. */
    readonly lapsed: number
    /** Milliseconds that the change has waited until no instance could act on the state before. */
    readonly waitedMs: number
  }
  /** The names of the instances that have lapsed. */
  readonly lapsedInstances: readonly string[]
}

/** That of a change that nobody has waited for. */
export const unsettled: Propagated = {
  propagation: { instances: null, confirmed: 0, lapsed: 0, waitedMs: 0 },
  lapsedInstances: [],
}

/** The part of an answer that says how the change has come to all instances. */
export function propagated({ lapsedInstances, ...propagation }: Propagation): Propagated {
  return { propagation, lapsedInstances }
}
