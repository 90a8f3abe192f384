import { printable } from './print.ts'

/** What came of a change of a key or an owner. */
export interface ChangedFacts {
  readonly subject: string
  readonly done: string
  readonly tookMs: number
  readonly state: string
  readonly revision: number
}

/** Says that a change is done: from now on no instance acts on what was before, and how long that took. */
export function changedText({ subject, done, tookMs, state, revision }: ChangedFacts): string {
  return printable(
    `${subject}: ${done}, in effect everywhere after ${Math.ceil(tookMs)} ms. State: ${state}, revision ${revision}.`,
  )
}
