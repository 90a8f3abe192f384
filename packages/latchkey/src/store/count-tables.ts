import type { Dialect } from './migrations.ts'

/** The tables and indexes of the statements on counts, and the counts of a database that has keys already. */
export function countTables({ integer, byPrimaryKey }: Pick<Dialect, 'integer' | 'byPrimaryKey'>): readonly string[] {
  return [
    // How many keys there are, kept by what writes them; the rows of the owner '' are of all owners.
    `CREATE TABLE latchkey_counts (
      owner TEXT NOT NULL,
      environment TEXT NOT NULL,
      enabled ${integer} NOT NULL,
      disabled ${integer} NOT NULL,
      revoked ${integer} NOT NULL,
      PRIMARY KEY (owner, environment)
    ) ${byPrimaryKey}`,
    `INSERT INTO latchkey_counts (owner, environment, enabled, disabled, revoked)
      SELECT owner, environment, SUM(CASE WHEN revoked_at IS NULL AND disabled_at IS NULL THEN 1 ELSE 0 END),
      SUM(CASE WHEN revoked_at IS NULL AND disabled_at IS NOT NULL THEN 1 ELSE 0 END),
      SUM(CASE WHEN revoked_at IS NOT NULL THEN 1 ELSE 0 END) FROM latchkey_keys GROUP BY owner, environment`,
    `INSERT INTO latchkey_counts (owner, environment, enabled, disabled, revoked)
      SELECT '', environment, SUM(enabled), SUM(disabled), SUM(revoked) FROM latchkey_counts GROUP BY environment`,
    `CREATE INDEX latchkey_counts_by_name ON latchkey_counts (LOWER(owner), owner)`,
    `CREATE INDEX latchkey_counts_by_environment ON latchkey_counts (environment, LOWER(owner), owner)`,
    `CREATE INDEX latchkey_owners_by_name ON latchkey_owners (LOWER(owner), owner)`,
    `CREATE INDEX latchkey_owners_disabled ON latchkey_owners (owner) WHERE disabled_at IS NOT NULL`,
    // What time changes is counted in these, and they hold nothing but what may still change by it.
    ...['expires_at', 'not_before'].flatMap((column) => {
      const columns = column === 'expires_at' ? column : `${column}, expires_at`
      const some = `WHERE revoked_at IS NULL AND disabled_at IS NULL AND ${column} IS NOT NULL`
      return [
        `CREATE INDEX latchkey_counted_${column} ON latchkey_keys (environment, ${columns}) ${some}`,
        `CREATE INDEX latchkey_counted_${column}_of_owner ON latchkey_keys (owner, environment, ${columns}) ${some}`,
      ]
    }),
  ]
}
