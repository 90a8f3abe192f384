/** The few words in which the engines' table definitions differ. */
export interface Dialect {
  /** A 64-bit whole number; as the primary key of a table it must be its physical order. */
  readonly integer: string
  /** Ends a table whose rows are found by a primary key that is text. */
  readonly byPrimaryKey: string
}

/**
 * The schema, as the steps that lead to it. A step that has been released is never edited; the next one is added.
 * Times are milliseconds since 1970; lists and objects are JSON text.
 */
export function migrations({ integer, byPrimaryKey }: Dialect): readonly (readonly string[])[] {
  return [
    [
      // `place` is the sequence number of the entry that issued the key: the order of issue, and a short join.
      `CREATE TABLE latchkey_keys (
        place ${integer} PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        environment TEXT NOT NULL,
        scopes TEXT NOT NULL,
        metadata TEXT NOT NULL,
        start TEXT NOT NULL,
        created_at ${integer} NOT NULL,
        not_before ${integer},
        expires_at ${integer},
        revoked_at ${integer},
        revoked_reason TEXT,
        revoked_note TEXT,
        revision ${integer} NOT NULL
      )`,
      `CREATE INDEX latchkey_keys_by_owner ON latchkey_keys (owner, place)`,
      `CREATE INDEX latchkey_keys_by_revision ON latchkey_keys (revision)`,
      // A key has one secret, and two while it is being rotated.
      `CREATE TABLE latchkey_secrets (
        hash TEXT NOT NULL PRIMARY KEY,
        place ${integer} NOT NULL REFERENCES latchkey_keys (place)
      ) ${byPrimaryKey}`,
      `CREATE TABLE latchkey_journal (
        seq ${integer} PRIMARY KEY,
        at ${integer} NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        change TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL
      )`,
    ],
  ]
}
