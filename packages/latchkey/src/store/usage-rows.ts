import type { UsageCount } from '../ports.ts'
import { addUsage, dropUsage, usageOf, usageValues } from './usage-sql.ts'
import { addTo, dropEmpty, rolledUp } from './usage-sums-sql.ts'
import type { Work } from './work.ts'
import { rows, run, takeSome } from './work.ts'

// Rows of usage and the sums of them, which change together in one transaction.

/** Adds to a row, and to what its key has of the day. Whoever does it adds to the shared sums before the transaction ends. */
export function* addUsageRow(usage: UsageCount): Work<void> {
  yield* run(addUsage, usageValues(usage))
  yield* addToSums('ofKeys', [usage])
}

/** Adds what was added to rows to the sums that many of them share. */
export function* addToSharedSums(added: readonly UsageCount[]): Work<void> {
  yield* addToSums('shared', added)
}

function* addToSums(kind: keyof typeof addTo, counts: readonly UsageCount[]): Work<void> {
  for (const [rollUp, text] of addTo[kind]) for (const sum of rolledUp(rollUp, counts)) yield* run(text, sum)
}

/** Takes out all rows of a key or of an owner. */
export function* dropUsageRows(of: 'key' | 'owner', name: string): Work<void> {
  yield* dropRows(yield* rows<UsageCount>(usageOf[of], [name, Number.MAX_SAFE_INTEGER]))
}

/** The same of so many at most, and of less if that takes long. Answers how many it has taken out. */
export function* dropSomeUsageRows(of: 'key' | 'owner', name: string, most: number): Work<number> {
  const found = yield* rows<UsageCount>(usageOf[of], [name, most])
  return yield* takeSome(found.map((usage) => dropRows([usage])))
}

function* dropRows(found: readonly UsageCount[]): Work<void> {
  const taken = found.map((usage) => ({ ...usage, count: -usage.count, cost: -usage.cost }))
  for (const usage of found) yield* run(dropUsage, usageValues(usage).slice(0, -2))
  for (const [rollUp, text] of [...addTo.ofKeys, ...addTo.shared]) {
    for (const sum of rolledUp(rollUp, taken)) {
      yield* run(text, sum)
      yield* run(dropEmpty(rollUp), sum.slice(0, -2))
    }
  }
}
