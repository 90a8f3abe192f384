import type { PurgedRows, RowsBefore } from '../../ports.ts'
import { dropOldRows } from '../purge-sql.ts'
import { takeSome } from './brief.ts'
import type { Statements } from './statements.ts'

/** Rows that one statement deletes. */
const atOnce = 20

/** Deletes old rows within a transaction, until that has taken long enough. */
export function purgingOf({ run }: Pick<Statements, 'run'>): (before: RowsBefore) => PurgedRows {
  return (before) => {
    const purged = { usage: 0, usageSums: 0, refusals: 0 }
    function* steps(): Generator<() => void> {
      for (const [kind, text] of dropOldRows) {
        const end = before[kind]
        if (end === undefined) continue
        const table = { left: true }
        const step = (): void => {
          const deleted = run(text, [end, atOnce])
          purged[kind] += deleted
          table.left = deleted === atOnce
        }
        do yield step
        while (table.left)
      }
    }
    takeSome(steps())
    return purged
  }
}
