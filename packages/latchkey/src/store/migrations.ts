import { countTables } from './count-tables.ts'
import { fileAll } from './filing.ts'
import { purgeTables } from './purge-sql.ts'
import { rollUpTables } from './usage-sums-sql.ts'
import type { Work } from './work.ts'

/** A statement of a migration, or what reads rows in pieces and writes what follows from them. */
export type MigrationStatement = string | (() => Work<void>)

/** The few words in which the engines' table definitions differ. */
export interface Dialect {
  /** A 64-bit whole number; as the primary key of a table it must be its physical order. */
  readonly integer: string
  /** The same, as a primary key that the engine numbers in the order of writing. */
  readonly numbered: string
  /** Ends a table whose rows are found by a primary key that is text. */
  readonly byPrimaryKey: string
  /** An expression that gives each row a random text of its own, of 128 bits at least. */
  readonly random: string
  /** Makes what only this engine has: its index by which keys are found by a part of a text, with all that is there. */
  readonly ofItsOwn: readonly string[]
}

/**
 * The schema, as the steps that lead to it. A step that has been released is never edited; the next one is added.
 * Times are milliseconds since 1970; lists and objects are JSON text.
 */
export function migrations({
  integer,
  numbered,
  byPrimaryKey,
  random,
  ofItsOwn,
}: Dialect): readonly (readonly MigrationStatement[])[] {
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
    [
      `ALTER TABLE latchkey_keys ADD COLUMN addresses TEXT`,
      `ALTER TABLE latchkey_keys ADD COLUMN limits TEXT NOT NULL DEFAULT '[]'`,
      `ALTER TABLE latchkey_keys ADD COLUMN quota TEXT`,
      `ALTER TABLE latchkey_keys ADD COLUMN delegation TEXT`,
      `ALTER TABLE latchkey_keys ADD COLUMN disabled_at ${integer}`,
      `ALTER TABLE latchkey_secrets ADD COLUMN kind TEXT NOT NULL DEFAULT 'minted'`,
      `ALTER TABLE latchkey_secrets ADD COLUMN start TEXT NOT NULL DEFAULT ''`,
      `ALTER TABLE latchkey_secrets ADD COLUMN created_at ${integer} NOT NULL DEFAULT 0`,
      `ALTER TABLE latchkey_secrets ADD COLUMN retired_at ${integer}`,
      `ALTER TABLE latchkey_secrets ADD COLUMN ends_at ${integer}`,
      `ALTER TABLE latchkey_secrets ADD COLUMN last_used_at ${integer}`,
      `UPDATE latchkey_secrets SET
        start = (SELECT k.start FROM latchkey_keys k WHERE k.place = latchkey_secrets.place),
        created_at = (SELECT k.created_at FROM latchkey_keys k WHERE k.place = latchkey_secrets.place)`,
      `CREATE INDEX latchkey_secrets_by_place ON latchkey_secrets (place)`,
      // Empty in most databases: without imports, a text that was not minted here is refused without a read.
      `CREATE INDEX latchkey_secrets_imported ON latchkey_secrets (kind) WHERE kind <> 'minted'`,
      `CREATE TABLE latchkey_owners (
        owner TEXT NOT NULL PRIMARY KEY,
        disabled_at ${integer},
        limits TEXT NOT NULL,
        revision ${integer} NOT NULL
      ) ${byPrimaryKey}`,
      `CREATE INDEX latchkey_owners_by_revision ON latchkey_owners (revision)`,
      // A table of its own: every call that spends writes it, and no cache needs to be invalidated by that.
      `CREATE TABLE latchkey_quotas (
        place ${integer} PRIMARY KEY REFERENCES latchkey_keys (place),
        remaining ${integer} NOT NULL,
        period ${integer} NOT NULL
      )`,
      `CREATE TABLE latchkey_once (
        actor TEXT NOT NULL,
        token TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        ids TEXT NOT NULL,
        at ${integer} NOT NULL,
        PRIMARY KEY (actor, token)
      ) ${byPrimaryKey}`,
      `CREATE INDEX latchkey_once_by_at ON latchkey_once (at)`,
      // The owner is stored here too: usage is reported for the owner that the key had at the time.
      `CREATE TABLE latchkey_usage (
        hour ${integer} NOT NULL,
        key_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        outcome TEXT NOT NULL,
        count ${integer} NOT NULL,
        PRIMARY KEY (hour, key_id, owner, outcome)
      ) ${byPrimaryKey}`,
      `CREATE INDEX latchkey_usage_by_key ON latchkey_usage (key_id, hour)`,
      `CREATE INDEX latchkey_usage_by_owner ON latchkey_usage (owner, hour)`,
      `CREATE INDEX latchkey_journal_by_subject ON latchkey_journal (subject, seq)`,
      `CREATE INDEX latchkey_journal_by_actor ON latchkey_journal (actor, seq)`,
      `CREATE INDEX latchkey_journal_by_at ON latchkey_journal (at, seq)`,
    ],
    [
      `ALTER TABLE latchkey_keys ADD COLUMN disabled_by TEXT`,
      `ALTER TABLE latchkey_secrets ADD COLUMN ended ${integer} NOT NULL DEFAULT 0`,
      `ALTER TABLE latchkey_secrets ADD COLUMN issued_by TEXT`,
      `CREATE INDEX latchkey_secrets_by_issuer ON latchkey_secrets (issued_by, place) WHERE issued_by IS NOT NULL`,
      `ALTER TABLE latchkey_once ADD COLUMN seq ${integer} NOT NULL DEFAULT 0`,
    ],
    [
      // A row for each period that something was taken in.
      `CREATE TABLE latchkey_quotas_by_period (
        place ${integer} NOT NULL REFERENCES latchkey_keys (place),
        period ${integer} NOT NULL,
        remaining ${integer} NOT NULL,
        PRIMARY KEY (place, period)
      ) ${byPrimaryKey}`,
      `INSERT INTO latchkey_quotas_by_period (place, period, remaining) SELECT place, period, remaining FROM latchkey_quotas`,
      `DROP TABLE latchkey_quotas`,
      `ALTER TABLE latchkey_quotas_by_period RENAME TO latchkey_quotas`,
    ],
    [
      `ALTER TABLE latchkey_keys ADD COLUMN salt TEXT NOT NULL DEFAULT ''`,
      `UPDATE latchkey_keys SET salt = ${random}`,
      // The journal has no digest of the rows that exist already. A keyring notes them when it is opened, some at a
      // time.
      `CREATE TABLE latchkey_untold (subject TEXT NOT NULL PRIMARY KEY) ${byPrimaryKey}`,
      `INSERT INTO latchkey_untold (subject) SELECT id FROM latchkey_keys`,
      `INSERT INTO latchkey_untold (subject) SELECT 'owner:' || owner FROM latchkey_owners`,
    ],
    [
      // One row: the declarations of the application, for those who open its database without it.
      `CREATE TABLE latchkey_declared (
        place ${integer} PRIMARY KEY,
        scopes TEXT NOT NULL,
        prefix TEXT NOT NULL,
        environments TEXT NOT NULL
      )`,
    ],
    [
      // Of a secret that was imported by the hash of its last part: the text before that part.
      `ALTER TABLE latchkey_secrets ADD COLUMN text_before TEXT`,
    ],
    [
      // A row is for equal refusals of one second. Without a known key, its id, owner and environment are empty.
      `CREATE TABLE latchkey_refusals (
        place ${numbered} PRIMARY KEY,
        at ${integer} NOT NULL,
        request_id TEXT NOT NULL,
        instance TEXT NOT NULL,
        address TEXT,
        route TEXT,
        requirement TEXT,
        code TEXT NOT NULL,
        key_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        environment TEXT NOT NULL,
        missing TEXT,
        exceeded TEXT,
        count ${integer} NOT NULL
      )`,
      `CREATE INDEX latchkey_refusals_by_at ON latchkey_refusals (at, place)`,
      `CREATE INDEX latchkey_refusals_by_key ON latchkey_refusals (key_id, at, place)`,
      `CREATE INDEX latchkey_refusals_by_owner ON latchkey_refusals (owner, at, place)`,
      `CREATE INDEX latchkey_refusals_by_code ON latchkey_refusals (code, at, place)`,
      // Counts those of known keys, and finds the oldest of them, without a look at those of strangers.
      `CREATE INDEX latchkey_refusals_known ON latchkey_refusals (at, place) WHERE key_id <> ''`,
      // A caller may choose the id of its request, and choose one that is there already.
      `CREATE TABLE latchkey_refused_requests (
        request_id TEXT NOT NULL,
        place ${integer} NOT NULL REFERENCES latchkey_refusals (place) ON DELETE CASCADE,
        PRIMARY KEY (request_id, place)
      ) ${byPrimaryKey}`,
      `CREATE INDEX latchkey_refused_requests_by_place ON latchkey_refused_requests (place)`,
    ],
    [
      // In whose journals an entry is. It follows from the entries, so it is no part of the chain; `verifyJournal({ rows })`
      // compares it with them.
      `CREATE TABLE latchkey_journal_owners (
        owner TEXT NOT NULL,
        seq ${integer} NOT NULL,
        at ${integer} NOT NULL,
        environment TEXT NOT NULL,
        moved ${integer} NOT NULL,
        filed_action TEXT NOT NULL,
        PRIMARY KEY (owner, seq)
      ) ${byPrimaryKey}`,
      // With the action, which is looked at for each entry of a time without a look at the entry itself.
      `CREATE INDEX latchkey_journal_owners_by_at ON latchkey_journal_owners (owner, at, seq, filed_action)`,
      `CREATE INDEX latchkey_journal_owners_by_action
        ON latchkey_journal_owners (owner, filed_action, seq, environment, moved)`,
      `CREATE INDEX latchkey_journal_owners_by_seq ON latchkey_journal_owners (seq)`,
      `CREATE INDEX latchkey_journal_by_action ON latchkey_journal (action, seq)`,
      `CREATE INDEX latchkey_journal_by_action_at ON latchkey_journal (action, at, seq)`,
      `CREATE INDEX latchkey_journal_by_actor_at ON latchkey_journal (actor, at, seq)`,
      `CREATE INDEX latchkey_journal_by_subject_at ON latchkey_journal (subject, at, seq)`,
      fileAll,
    ],
    [
      // With the environment that the key had at the time, the limit that had no room, and what accepted calls cost:
      // until now a call cost 1 unless its route said otherwise.
      `CREATE TABLE latchkey_usage_by_place (
        hour ${integer} NOT NULL,
        key_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        environment TEXT NOT NULL,
        outcome TEXT NOT NULL,
        limit_name TEXT NOT NULL,
        count ${integer} NOT NULL,
        cost ${integer} NOT NULL,
        PRIMARY KEY (hour, owner, key_id, environment, outcome, limit_name)
      ) ${byPrimaryKey}`,
      `INSERT INTO latchkey_usage_by_place
        SELECT u.hour, u.key_id, u.owner, COALESCE(k.environment, ''), u.outcome, '', u.count,
        CASE WHEN u.outcome = 'accepted' THEN u.count ELSE 0 END
        FROM latchkey_usage u LEFT JOIN latchkey_keys k ON k.id = u.key_id ORDER BY u.hour, u.owner, u.key_id, u.outcome`,
      `DROP TABLE latchkey_usage`,
      `ALTER TABLE latchkey_usage_by_place RENAME TO latchkey_usage`,
      `CREATE INDEX latchkey_usage_by_key ON latchkey_usage (key_id, hour, owner, environment, outcome, limit_name)`,
      `CREATE INDEX latchkey_usage_by_owner ON latchkey_usage (owner, hour, key_id, environment, outcome, limit_name)`,
      `CREATE INDEX latchkey_usage_by_environment
        ON latchkey_usage (environment, hour, owner, key_id, outcome, limit_name)`,
      `CREATE INDEX latchkey_usage_by_outcome ON latchkey_usage (outcome, hour, owner, key_id, environment, limit_name)
        WHERE outcome <> 'accepted'`,
    ],
    [
      // When any of its secrets was used last. Like that, it is moved without an entry in the journal.
      `ALTER TABLE latchkey_keys ADD COLUMN last_used_at ${integer}`,
      `UPDATE latchkey_keys SET
        last_used_at = (SELECT MAX(s.last_used_at) FROM latchkey_secrets s WHERE s.place = latchkey_keys.place)`,
      // An index for each order of a list, of all keys of an environment and of those of one owner. Where a time is
      // null, the order has a number that no time has.
      ...['environment', 'owner, environment'].flatMap((first) => {
        const isOfAll = first === 'environment'
        const index = isOfAll ? 'latchkey_keys_in_environment' : 'latchkey_keys_in_environment_of_owner'
        const owner = isOfAll ? 'owner, ' : ''
        return [
          `CREATE INDEX ${index} ON latchkey_keys (${first}, place)`,
          `CREATE INDEX ${index}_by_name ON latchkey_keys (${first}, name, place)`,
          `CREATE INDEX ${index}_by_expiry ON latchkey_keys (${first}, (COALESCE(expires_at, 9007199254740991)), place)`,
          `CREATE INDEX ${index}_by_use
            ON latchkey_keys (${first}, (COALESCE(last_used_at, created_at - 8640000000000001)), ${owner}place)`,
        ]
      }),
    ],
    [
      // The entry that has emptied this one.
      `ALTER TABLE latchkey_journal ADD COLUMN emptied_by ${integer}`,
      `CREATE INDEX latchkey_once_by_seq ON latchkey_once (seq)`,
      // The hashes of secrets whose keys were erased: none is imported again.
      `CREATE TABLE latchkey_erased_secrets (hash TEXT NOT NULL PRIMARY KEY) ${byPrimaryKey}`,
    ],
    [
      `CREATE INDEX latchkey_keys_revoked ON latchkey_keys (place) WHERE revoked_at IS NOT NULL`,
      `CREATE INDEX latchkey_keys_disabled ON latchkey_keys (place) WHERE disabled_at IS NOT NULL`,
      `CREATE INDEX latchkey_secrets_old ON latchkey_secrets (ends_at, place) WHERE retired_at IS NOT NULL AND ended = 0`,
      ...ofItsOwn,
    ],
    rollUpTables({ integer, byPrimaryKey }),
    countTables({ integer, byPrimaryKey }),
    [
      // Finds the old secret of a key that is listed without a look at the secrets of keys that have none.
      `CREATE INDEX latchkey_secrets_old_by_place ON latchkey_secrets (place, ends_at)
        WHERE retired_at IS NOT NULL AND ended = 0`,
    ],
    purgeTables({ integer }),
    [
      // The refusals that stay are those that were written last, whatever the clocks said.
      `CREATE INDEX latchkey_refusals_of_key ON latchkey_refusals (key_id, place)`,
      `DROP INDEX latchkey_refusals_known`,
      `CREATE INDEX latchkey_refusals_known ON latchkey_refusals (place) WHERE key_id <> ''`,
    ],
    [
      // For who may see some environments only: what others have is not looked at.
      `CREATE INDEX latchkey_refusals_by_environment ON latchkey_refusals (environment, at, place)`,
    ],
    [
      // One row: what cursors are encrypted with. It is in the database, so that every process reads the cursors of all.
      `CREATE TABLE latchkey_cursor_key (place ${integer} PRIMARY KEY, key TEXT NOT NULL)`,
      `INSERT INTO latchkey_cursor_key (place, key) VALUES (1, ${random} || ${random})`,
    ],
    [
      // For a search of one or two characters.
      `CREATE INDEX latchkey_keys_in_environment_by_start ON latchkey_keys (environment, (SUBSTR(start, 1, 2)), place)`,
      `CREATE INDEX latchkey_keys_in_environment_of_owner_by_start
        ON latchkey_keys (owner, environment, (SUBSTR(start, 1, 2)), place)`,
    ],
  ]
}
