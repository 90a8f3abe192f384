import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

/** A row of the journal as it is in the table: tampering can put any value in it. */
export interface Row {
  readonly seq: number
  readonly at: Value
  readonly actor: Value
  readonly action: Value
  readonly subject: Value
  readonly change: Value
  readonly previous: Value
  readonly hash: Value
}

export type Value = string | number | bigint | Uint8Array

/** The columns, in the order in which they are written. */
export const columns = ['seq', 'at', 'actor', 'action', 'subject', 'change', 'previous', 'hash'] as const

/** The journal of a database file, behind the back of every keyring on it. */
export interface JournalTable {
  readonly read: () => readonly Row[]
  /** Makes the table hold other rows than these, by SQL, in one transaction. */
  readonly replace: (from: readonly Row[], to: readonly Row[]) => void
  /**
   * Acts like an attacker who cuts the journal: lowers the revisions, so that no key and no owner was changed later.
   * Returns how to undo it.
   */
  readonly rewind: (seq: number) => () => void
  /** Writes every row as it is. */
  readonly touch: () => void
  readonly close: () => void
}

/** Opens the journal of a database file. */
export function openJournalTable(file: string): JournalTable {
  const database = new DatabaseSync(file, { timeout: 5000 })
  database.exec('PRAGMA synchronous = OFF')
  const all = database.prepare(`SELECT ${columns.join(', ')} FROM latchkey_journal ORDER BY seq`)
  const insert = database.prepare(
    `INSERT INTO latchkey_journal (${columns.join(', ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const remove = database.prepare('DELETE FROM latchkey_journal WHERE seq = ?')

  function transact(work: () => void): void {
    database.exec('BEGIN IMMEDIATE')
    work()
    database.exec('COMMIT')
  }

  function put(row: Row): void {
    insert.run(...columns.map((column) => row[column]))
  }

  return {
    read: () => all.all().map((row) => ({ ...row })) as unknown as readonly Row[],
    replace(from, to) {
      const [before, after] = [new Set(from), new Set(to)]
      transact(() => {
        for (const row of from) if (!after.has(row)) remove.run(row.seq)
        for (const row of to) if (!before.has(row)) put(row)
      })
    },
    rewind(seq) {
      const tables = ['latchkey_keys', 'latchkey_owners']
      const later = tables.map((table) => ({
        table,
        rows: database.prepare(`SELECT ${nameOf(table)} AS name, revision FROM ${table} WHERE revision > ?`).all(seq),
      }))
      const set = (table: string, name: string, revision: number): void => {
        database.prepare(`UPDATE ${table} SET revision = ? WHERE ${nameOf(table)} = ?`).run(revision, name)
      }
      transact(() => {
        for (const { table, rows } of later) for (const { name } of rows) set(table, String(name), seq)
      })
      return () => {
        transact(() => {
          for (const { table, rows } of later)
            for (const { name, revision } of rows) set(table, String(name), Number(revision))
        })
      }
    },
    touch: () => transact(() => database.exec('UPDATE latchkey_journal SET hash = hash, seq = seq')),
    close: () => database.close(),
  }
}

function nameOf(table: string): string {
  return table === 'latchkey_keys' ? 'id' : 'owner'
}

/** The `previous` of the first entry. */
const genesis = '0'.repeat(64)

/** The hash of an entry. Written anew from its description, not taken from the library. */
export function hashOf({ seq, at, actor, action, subject, change, previous }: Omit<Row, 'hash'>): string {
  const text = JSON.stringify([seq, at, actor, action, subject, change, previous])
  return createHash('sha256').update(text).digest('hex')
}

/**
 * Numbers the rows from 1 on, and computes every hash anew from the row at this index on: as an attacker would who can
 * write to the database and knows how the chain is made.
 *
 * @example rechained(rows.toSpliced(3, 1), 3) // a whole chain that never heard of the fourth entry
 */
export function rechained(rows: readonly Row[], from: number): readonly Row[] {
  const chain = rows.slice(0, from)
  for (const row of rows.slice(from)) {
    const placed = { ...row, seq: chain.length + 1, previous: chain.at(-1)?.hash ?? genesis }
    chain.push({ ...placed, hash: hashOf(placed) })
  }
  return chain
}
