import type { Proof } from './proof.ts'

/** What `quota` must find. */
export const faults: Proof['faults'] = {
  'never-empty': {
    is: 'nobody looks whether enough is left',
    edits: [
      {
        file: 'packages/latchkey/src/store/sql.ts',
        text: 'AND (CASE WHEN period < $3 THEN $4 ELSE remaining END) >= $2',
        becomes: '',
      },
    ],
    shownBy: ['roundsNotExact'],
  },
  'read-then-write': {
    is: 'what is left is read first and written a moment later',
    edits: [
      {
        file: 'packages/latchkey/src/store/sqlite.ts',
        text: 'spend(id, spending): Awaitable<number | undefined> {',
        becomes: `spend(id, spending): Awaitable<number | undefined> {
      const place = '(SELECT place FROM latchkey_keys WHERE id = $1)'
      const read = row<{ left: number }>(\`SELECT remaining AS left FROM latchkey_quotas WHERE place = \${place}\`, [id])
      const left = (read?.left ?? 0) - spending.cost
      if (left < 0) return undefined
      const write = \`UPDATE latchkey_quotas SET remaining = $2 WHERE place = \${place}\`
      if (read !== undefined) return Promise.resolve().then(() => whenFree(() => run(write, [id, left])))`,
      },
    ],
    shownBy: ['roundsNotExact'],
  },
}
