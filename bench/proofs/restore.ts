import { backup, DatabaseSync } from 'node:sqlite'

/** A way to restore a copy of a database into a live file while others use it. */
export type Restore = (copy: string, file: string) => Promise<void>

/** The ways that people use. */
export const restores: Readonly<Record<'pages' | 'rows', Restore>> = {
  /** As `.restore` of the sqlite3 shell does: page by page, in one transaction. */
  async pages(copy, file) {
    const source = new DatabaseSync(copy, { readOnly: true })
    try {
      await backup(source, file)
    } finally {
      source.close()
    }
  },

  /** All rows of all tables, in one transaction. Triggers keep the index of texts, whose own tables nobody may write. */
  async rows(copy, file) {
    const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: false })
    try {
      database.prepare('ATTACH ? AS copy').run(copy)
      database.exec('BEGIN IMMEDIATE')
      const tables = database
        .prepare(
          "SELECT name FROM pragma_table_list WHERE schema = 'copy' AND type = 'table' AND name <> 'sqlite_schema'",
        )
        .all()
      for (const { name } of tables) {
        database.exec(`DELETE FROM main."${String(name)}"`)
        database.exec(`INSERT INTO main."${String(name)}" SELECT * FROM copy."${String(name)}"`)
      }
      database.exec('COMMIT')
    } finally {
      database.close()
    }
  },
}
