import type { UsageCount } from '../../ports.ts'
import { addUsage, dropUsage, usageOf, usageValues } from '../usage-sql.ts'
import { addToRollUp, dropEmpty, rolledUp } from '../usage-sums-sql.ts'
import type { Statements } from './statements.ts'

/** Rows of usage and the sums of them, which change together in one transaction. */
export interface UsageRows {
  readonly add: (counts: readonly UsageCount[]) => void
  /** Takes out rows of a key or of an owner, so many at most, and answers how many. */
  readonly drop: (of: 'key' | 'owner', name: string, most: number) => number
}

/** The usage that one connection writes. */
export function usageRowsOf({ rows, run }: Pick<Statements, 'rows' | 'run'>): UsageRows {
  return {
    add(counts) {
      for (const usage of counts) run(addUsage, usageValues(usage))
      for (const [rollUp, add] of addToRollUp) for (const sum of rolledUp(rollUp, counts)) run(add, sum)
    },
    drop(of, name, most) {
      const found = rows<UsageCount>(usageOf[of], [name, most])
      const taken = found.map((usage) => ({ ...usage, count: -usage.count, cost: -usage.cost }))
      for (const usage of found) run(dropUsage, usageValues(usage).slice(0, -2))
      for (const [rollUp, add] of addToRollUp) {
        for (const sum of rolledUp(rollUp, taken)) {
          run(add, sum)
          run(dropEmpty(rollUp), sum.slice(0, -2))
        }
      }
      return found.length
    },
  }
}
