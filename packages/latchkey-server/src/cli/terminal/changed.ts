import { printable } from './print.ts'

/** The result of a change of a key or an owner. */
export interface ChangedFacts {
  /** The sentence about it, such as `Disabled key_…`. */
  readonly done: string
  readonly tookMs: number
  readonly state: string
  readonly revision: number
}

/** Says that a change is done, and how long it took until no instance acts on the state before. */
export function changedText({ done, tookMs, state, revision }: ChangedFacts): string {
  return printable(`${done}, everywhere after ${Math.ceil(tookMs)} ms: ${state}, revision ${revision}.`)
}
