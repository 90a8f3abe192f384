import { DatabaseSync } from 'node:sqlite'

/** A row as it lies in its table. */
export type TableRow = Readonly<Record<string, TableValue>>

/** The value of a column. */
export type TableValue = string | number | null

/** The rows that the journal covers: keys, their secrets, and owners. */
export interface Rows {
  readonly keys: readonly TableRow[]
  readonly secrets: readonly TableRow[]
  readonly owners: readonly TableRow[]
}

/** The tables, and what identifies a row in each. */
export const tables = {
  keys: { name: 'latchkey_keys', by: 'place' },
  secrets: { name: 'latchkey_secrets', by: 'hash' },
  owners: { name: 'latchkey_owners', by: 'owner' },
} as const satisfies Readonly<Record<keyof Rows, { readonly name: string; readonly by: string }>>

/** The tables of a database file, behind the back of every keyring on it. */
export interface RowTables {
  readonly read: () => Rows
  /**
   * Makes the tables hold other rows than these, by SQL, in one transaction.
   *
   * @throws Error when the tables do not take them; then nothing is done.
   */
  readonly replace: (from: Rows, to: Rows) => void
  readonly close: () => void
}

/** Opens the tables of a database file. */
export function openRowTables(file: string): RowTables {
  // Tampering ignores references between rows.
  const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: false })
  database.exec('PRAGMA synchronous = OFF')

  function put(table: keyof Rows, row: TableRow): void {
    const columns = Object.keys(row)
    const places = columns.map(() => '?').join(', ')
    database
      .prepare(`INSERT INTO ${tables[table].name} (${columns.join(', ')}) VALUES (${places})`)
      .run(...columns.map((column) => row[column] ?? null))
  }

  const kinds = Object.keys(tables) as (keyof Rows)[]
  return {
    read: () =>
      Object.fromEntries(
        kinds.map((table) => [
          table,
          database.prepare(`SELECT * FROM ${tables[table].name} ORDER BY ${tables[table].by}`).all(),
        ]),
      ) as unknown as Rows,
    replace(from, to) {
      database.exec('BEGIN IMMEDIATE')
      try {
        for (const table of kinds) {
          const { name, by } = tables[table]
          const [before, after] = [new Set(from[table]), new Set(to[table])]
          const remove = database.prepare(`DELETE FROM ${name} WHERE ${by} = ?`)
          for (const row of from[table]) if (!after.has(row)) remove.run(row[by] ?? null)
          for (const row of to[table]) if (!before.has(row)) put(table, row)
        }
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
    close: () => database.close(),
  }
}
