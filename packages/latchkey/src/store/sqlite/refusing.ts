import type { RefusalBounds, RefusalDraft } from '../../ports.ts'
import * as sql from '../sql.ts'
import { takeSome } from './brief.ts'
import type { Statements } from './statements.ts'

/**
 * Keeps refusals and forgets the oldest; to be called within a transaction. Answers how many it has dealt with before they
 * took too long.
 */
export type KeepRefusals = (refusals: readonly RefusalDraft[], bounds: RefusalBounds) => number

/** After how many rows all are counted: to count a hundred thousand takes a millisecond. */
const countingAfter = 100

/** The statements that keep refusals, on one connection. */
export function refusingOf({ row, run }: Pick<Statements, 'row' | 'run'>): KeepRefusals {
  let uncounted = Number.POSITIVE_INFINITY
  /** Rows of known keys beyond the bound, as of the last count. */
  let excess = 0

  function insert(refusal: RefusalDraft): void {
    // It was refused before the key was erased, and would bring its owner back.
    if (row(sql.isErasedUse, [refusal.key, refusal.owner]) !== undefined) return
    const place = row<{ place: number }>(sql.insertRefusal, sql.refusalValues(refusal))?.place ?? 0
    for (const requestId of refusal.requestIds) run(sql.insertRefusedRequest, [requestId, place])
    if (refusal.key !== '') uncounted++
  }

  /** Some more than were added: so the rest goes too where a bound was lowered, and no transaction takes long. */
  function trim(key: string, { added, most }: { readonly added: number; readonly most: number }): void {
    const trimmed = run(sql.trimRefusalsOfKey, [key, most, 2 * added])
    if (key !== '') excess -= trimmed
  }

  return (refusals, { known, perKey, strangers }) => {
    const number = takeSome(refusals.map((refusal) => () => insert(refusal)))
    const ofKey = Map.groupBy(refusals.slice(0, number), ({ key }) => key)
    for (const [key, { length }] of ofKey) trim(key, { added: length, most: key === '' ? strangers : perKey })
    if (excess <= 0 && uncounted >= Math.min(countingAfter, known / 100)) {
      excess = (row<{ count: number }>(sql.countKnownRefusals)?.count ?? 0) - known
      uncounted = 0
    }
    if (excess > 0) excess -= run(sql.trimKnownRefusals, [Math.min(excess, 2 * number)])
    return number
  }
}
