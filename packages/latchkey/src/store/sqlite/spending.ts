import type { Spending } from '../../ports.ts'
import * as sql from '../sql.ts'
import { latestSchema } from './schema.ts'
import type { Statements } from './statements.ts'

/**
 * Spends on one connection, in one statement.
 *
 * @param mustBeCurrent - throws if the tables are newer, in which the statement spends nothing.
 */
export function spendOf(
  { rows, run }: Pick<Statements, 'rows' | 'run'>,
  mustBeCurrent: () => void,
): (id: string, spending: Spending) => number | undefined {
  function forgetPeriods(id: string, period: number): void {
    try {
      run(sql.dropPeriods, [id, period])
    } catch {
      // The spending has succeeded, so the error is dropped. The old periods are deleted with the next one.
    }
  }

  return (id, { cost, quota, period }) => {
    // All rows, though there is one at most: the statement must run to its end.
    const values = [id, cost, period, quota.amount, JSON.stringify(quota), latestSchema]
    const remaining = rows<{ remaining: number }>(sql.spend, values)[0]?.remaining
    if (remaining === undefined) mustBeCurrent()
    // The first of a period: as good a time as any to forget old ones.
    if (remaining === quota.amount - cost) forgetPeriods(id, period)
    return remaining
  }
}
