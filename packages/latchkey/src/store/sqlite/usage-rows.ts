import type { UsageCount } from '../../ports.ts'
import { addUsage, dropUsage, usageOf, usageValues } from '../usage-sql.ts'
import { addToRollUp, dropEmpty, rolledUp } from '../usage-sums-sql.ts'
import { takeSome } from './brief.ts'
import type { Statements } from './statements.ts'

/** Rows of usage and the sums of them, which change together in one transaction. */
export interface UsageRows {
  readonly add: (counts: readonly UsageCount[]) => void
  /** Takes out all rows of a key or of an owner. */
  readonly drop: (of: 'key' | 'owner', name: string) => void
  /** The same of so many at most, and of less if that takes long. Answers how many it has taken out. */
  readonly dropSome: (of: 'key' | 'owner', name: string, most: number) => number
}

/** The usage that one connection writes. */
export function usageRowsOf({ rows, run }: Pick<Statements, 'rows' | 'run'>): UsageRows {
  function dropRows(found: readonly UsageCount[]): void {
    const taken = found.map((usage) => ({ ...usage, count: -usage.count, cost: -usage.cost }))
    for (const usage of found) run(dropUsage, usageValues(usage).slice(0, -2))
    for (const [rollUp, add] of addToRollUp) {
      for (const sum of rolledUp(rollUp, taken)) {
        run(add, sum)
        run(dropEmpty(rollUp), sum.slice(0, -2))
      }
    }
  }

  return {
    add(counts) {
      for (const usage of counts) run(addUsage, usageValues(usage))
      for (const [rollUp, add] of addToRollUp) for (const sum of rolledUp(rollUp, counts)) run(add, sum)
    },
    drop(of, name) {
      dropRows(rows<UsageCount>(usageOf[of], [name, Number.MAX_SAFE_INTEGER]))
    },
    dropSome(of, name, most) {
      const found = rows<UsageCount>(usageOf[of], [name, most])
      return takeSome(found.map((usage) => () => dropRows([usage])))
    },
  }
}
