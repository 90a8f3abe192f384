import { printable } from './print.ts'

/** What came of a change of a key or an owner. */
export interface ChangedFacts {
  /** What was done, as `Disabled key_…`. */
  readonly done: string
  readonly tookMs: number
  readonly state: string
  readonly revision: number
}

/** Says that a change is done: from now on no instance acts on what was before, and how long that took. */
export function changedText({ done, tookMs, state, revision }: ChangedFacts): string {
  return printable(`${done}, everywhere after ${Math.ceil(tookMs)} ms: ${state}, revision ${revision}.`)
}
