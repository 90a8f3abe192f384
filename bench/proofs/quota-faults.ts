import type { Proof } from './proof.ts'

/** What `quota` must find. */
export const faults: Proof['faults'] = {
  'never-empty': {
    is: 'a call spends without a check that enough is left',
    edits: [
      {
        file: 'packages/latchkey/src/store/sql.ts',
        text: 'WHERE latchkey_quotas.remaining >= $2',
        becomes: 'WHERE TRUE',
      },
    ],
    shownBy: ['roundsNotExact'],
  },
  'read-then-write': {
    is: 'the rest of the quota is read first and written a little later',
    edits: [
      {
        file: 'packages/latchkey/src/store/sqlite/writes.ts',
        text: 'const spent = writing(() => spend(id, spending), longestSpending)',
        becomes: `const place = '(SELECT place FROM latchkey_keys WHERE id = $1)'
      const read = row<{ left: number }>(\`SELECT remaining AS left FROM latchkey_quotas WHERE place = \${place}\`, [id])
      const left = (read?.left ?? 0) - spending.cost
      if (left < 0) return undefined
      const write = \`UPDATE latchkey_quotas SET remaining = $2 WHERE place = \${place}\`
      if (read === undefined) return writing(() => spend(id, spending))
      return Promise.resolve().then(() => writing(() => run(write, [id, left])))`,
      },
    ],
    shownBy: ['roundsNotExact'],
  },
}
