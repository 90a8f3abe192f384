import type { RefusalBounds, RefusalDraft } from '../ports.ts'
import * as sql from './sql.ts'
import type { Work } from './work.ts'
import { row, run, takeSome } from './work.ts'

/**
 * Keeps refusals and forgets the oldest; to be called within a transaction. Answers how many it has dealt with before they
 * took too long.
 */
export type KeepRefusals = (refusals: readonly RefusalDraft[], bounds: RefusalBounds) => Work<number>

/** After how many rows all are counted: to count a hundred thousand takes a millisecond. */
const countingAfter = 100

/** Keeps refusals of one store. */
export function refusingOf(): KeepRefusals {
  let uncounted = Number.POSITIVE_INFINITY
  /** Rows of known keys beyond the bound, as of the last count. */
  let excess = 0

  function* insert(refusal: RefusalDraft): Work<void> {
    // It was refused before the key was erased, and would bring its owner back.
    if ((yield* row(sql.isErasedUse, [refusal.key, refusal.owner])) !== undefined) return
    const inserted = yield* row<{ place: number }>(sql.insertRefusal, sql.refusalValues(refusal))
    const { place = 0 } = inserted ?? {}
    for (const requestId of refusal.requestIds) yield* run(sql.insertRefusedRequest, [requestId, place])
    if (refusal.key !== '') uncounted++
  }

  /** Some more than were added: so the rest goes too where a bound was lowered, and no transaction takes long. */
  function* trim(key: string, { added, most }: { readonly added: number; readonly most: number }): Work<void> {
    const trimmed = yield* run(sql.trimRefusalsOfKey, [key, most, 2 * added])
    if (key !== '') excess -= trimmed
  }

  return function* (refusals, { known, perKey, strangers }) {
    const number = yield* takeSome(refusals.map((refusal) => insert(refusal)))
    const ofKey = Map.groupBy(refusals.slice(0, number), ({ key }) => key)
    for (const [key, { length }] of ofKey) yield* trim(key, { added: length, most: key === '' ? strangers : perKey })
    if (excess <= 0 && uncounted >= Math.min(countingAfter, known / 100)) {
      const { count = 0 } = (yield* row<{ count: number }>(sql.countKnownRefusals)) ?? {}
      excess = count - known
      uncounted = 0
    }
    if (excess > 0) excess -= yield* run(sql.trimKnownRefusals, [Math.min(excess, 2 * number)])
    return number
  }
}
