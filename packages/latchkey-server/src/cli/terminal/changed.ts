import type { Changed } from 'latchkey'
import { printable } from './print.ts'

/** The result of a change of a key or an owner. */
export interface ChangedFacts extends Pick<Changed, 'propagation' | 'lapsedInstances'> {
  /** The sentence about it, such as `Disabled key_…`. */
  readonly done: string
  readonly state: string
  readonly revision: number
}

/** Says that a change is done, and how long it took until no instance acts on the state before. */
export function changedText({ done, state, revision, ...settled }: ChangedFacts): string {
  return printable(`${done}, ${everywhereText(settled)}: ${state}, revision ${revision}.`)
}

/** Says how long it took until no instance acts on the state before, and who has not confirmed the change. */
export function everywhereText({
  propagation,
  lapsedInstances,
}: Pick<Changed, 'propagation' | 'lapsedInstances'>): string {
  const { instances, lapsed, waitedMs } = propagation
  const after = `everywhere after ${Math.ceil(waitedMs)} ms`
  if (lapsed === 0) return after
  return `${after} (not confirmed by ${lapsed} of ${instances} instances: ${lapsedInstances.join(', ')})`
}
