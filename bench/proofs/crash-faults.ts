import type { Proof } from './proof.ts'

const writes = 'packages/latchkey/src/store/sqlite/writes.ts'
const commit = 'packages/latchkey/src/store/commit.ts'
const transactions = 'packages/latchkey/src/store/sqlite/transactions.ts'

/** What `crash` must find. */
export const faults: Proof['faults'] = {
  'answers-before-commit': {
    is: 'a change is acknowledged some milliseconds before it is committed',
    edits: [
      {
        file: transactions,
        text: "database.exec('BEGIN IMMEDIATE')",
        becomes: "if (!database.isTransaction) database.exec('BEGIN IMMEDIATE')",
      },
      {
        file: transactions,
        text: "database.exec(result === undefined ? 'ROLLBACK' : 'COMMIT')",
        becomes: "setTimeout(() => database.isTransaction && database.exec('COMMIT'), 30)",
      },
    ],
    shownBy: ['acknowledgedAndLost', 'revokedAndAlive'],
  },
  'secret-apart': {
    is: 'the secret of a new key is written after the transaction that issues it',
    edits: [
      {
        file: commit,
        text: 'return (yield* run(sql.insertSecret, sql.insertSecretValues(id, change.secret))) === 1',
        becomes: 'return true',
      },
      {
        file: writes,
        text: 'looks.committed(entries ?? [])',
        becomes: `looks.committed(entries ?? [])
          setImmediate(() => {
            for (const change of commit[0]) {
              if (change.kind !== 'insert') continue
              run(sql.insertSecret, sql.insertSecretValues(change.key.id, change.secret))
            }
          })`,
      },
    ],
    shownBy: ['halfApplied', 'acknowledgedAndLost'],
  },
  'spent-in-memory': {
    is: 'the spending of a quota is written later',
    edits: [
      {
        file: writes,
        text: 'const spent = writing(() => spend(id, spending), longestSpending)',
        becomes: 'return setTimeout(() => spend(id, spending), 400).hasRef() ? 1 : undefined',
      },
    ],
    shownBy: ['acknowledgedAndLost'],
  },
}
