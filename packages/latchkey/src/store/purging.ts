import type { PurgedRows, RowsBefore } from '../ports.ts'
import { dropOldRows } from './purge-sql.ts'
import type { Work } from './work.ts'
import { run, takeSome } from './work.ts'

/** Rows that one statement deletes: each is in some seven trees, with a page in every one. */
const atOnce = 5

/** Deletes old rows within a transaction, until that has taken long enough. */
export function* purgeOldRows(before: RowsBefore): Work<PurgedRows> {
  const purged = { usage: 0, usageSums: 0, refusals: 0 }
  function* steps(): Generator<Work<void>> {
    for (const [kind, text] of dropOldRows) {
      const end = before[kind]
      if (end === undefined) continue
      const table = { left: true }
      const step = function* (): Work<void> {
        const deleted = yield* run(text, [end, atOnce])
        purged[kind] += deleted
        table.left = deleted === atOnce
      }
      do yield step()
      while (table.left)
    }
  }
  yield* takeSome(steps())
  return purged
}
