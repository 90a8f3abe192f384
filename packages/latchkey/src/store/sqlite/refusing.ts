import type { RefusalBounds, RefusalDraft } from '../../ports.ts'
import * as sql from '../sql.ts'
import type { Statements } from './statements.ts'

/** Keeps refusals and forgets the oldest; to be called within a transaction. */
export type KeepRefusals = (refusals: readonly RefusalDraft[], bounds: RefusalBounds) => true

/** After how many rows all are counted: to count a hundred thousand takes a millisecond. */
const countingAfter = 100

/** The statements that keep refusals, on one connection. */
export function refusingOf({ row, run }: Pick<Statements, 'row' | 'run'>): KeepRefusals {
  let uncounted = Number.POSITIVE_INFINITY
  /** Rows of known keys beyond the bound, as of the last count. */
  let excess = 0

  function insert(refusal: RefusalDraft): void {
    const place = row<{ place: number }>(sql.insertRefusal, sql.refusalValues(refusal))?.place ?? 0
    for (const requestId of refusal.requestIds) run(sql.insertRefusedRequest, [requestId, place])
    if (refusal.key !== '') uncounted++
  }

  return (refusals, { known, perKey, strangers }) => {
    for (const refusal of refusals) insert(refusal)
    // Some more than were added: so the rest goes too where a bound was lowered, and no batch takes long.
    const most = 2 * refusals.length
    for (const key of new Set(refusals.map((refusal) => refusal.key))) {
      const trimmed = run(sql.trimRefusalsOfKey, [key, key === '' ? strangers : perKey, most])
      if (key !== '') excess -= trimmed
    }
    if (excess <= 0 && uncounted >= Math.min(countingAfter, known / 100)) {
      excess = (row<{ count: number }>(sql.countKnownRefusals)?.count ?? 0) - known
      uncounted = 0
    }
    if (excess > 0) excess -= run(sql.trimKnownRefusals, [Math.min(excess, most)])
    return true
  }
}
