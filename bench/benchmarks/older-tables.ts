/**
 * The tables of the seventh version, which are never edited: rows of that version are few and are written quickly, and the
 * product makes all the others of them, as it does for whoever comes from it.
 */
export const olderTables = `
  CREATE TABLE latchkey_migrations (version INTEGER PRIMARY KEY);
  INSERT INTO latchkey_migrations (version) VALUES (7);
  CREATE TABLE latchkey_keys (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, owner TEXT NOT NULL,
    environment TEXT NOT NULL, scopes TEXT NOT NULL, metadata TEXT NOT NULL, start TEXT NOT NULL,
    created_at INTEGER NOT NULL, not_before INTEGER, expires_at INTEGER, revoked_at INTEGER, revoked_reason TEXT,
    revoked_note TEXT, revision INTEGER NOT NULL, addresses TEXT, limits TEXT NOT NULL DEFAULT '[]', quota TEXT,
    delegation TEXT, disabled_at INTEGER, disabled_by TEXT, salt TEXT NOT NULL DEFAULT '');
  CREATE TABLE latchkey_secrets (
    hash TEXT NOT NULL PRIMARY KEY, place INTEGER NOT NULL REFERENCES latchkey_keys (place),
    kind TEXT NOT NULL DEFAULT 'minted', start TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL DEFAULT 0,
    retired_at INTEGER, ends_at INTEGER, last_used_at INTEGER, ended INTEGER NOT NULL DEFAULT 0, issued_by TEXT,
    text_before TEXT) WITHOUT ROWID;
  CREATE TABLE latchkey_journal (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
    change TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
  CREATE TABLE latchkey_owners (
    owner TEXT NOT NULL PRIMARY KEY, disabled_at INTEGER, limits TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE latchkey_quotas (
    place INTEGER NOT NULL REFERENCES latchkey_keys (place), period INTEGER NOT NULL, remaining INTEGER NOT NULL,
    PRIMARY KEY (place, period)) WITHOUT ROWID;
  CREATE TABLE latchkey_once (
    actor TEXT NOT NULL, token TEXT NOT NULL, fingerprint TEXT NOT NULL, ids TEXT NOT NULL, at INTEGER NOT NULL,
    seq INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (actor, token)) WITHOUT ROWID;
  CREATE TABLE latchkey_usage (
    hour INTEGER NOT NULL, key_id TEXT NOT NULL, owner TEXT NOT NULL, outcome TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (hour, key_id, owner, outcome)) WITHOUT ROWID;
  CREATE TABLE latchkey_untold (subject TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE latchkey_declared (
    place INTEGER PRIMARY KEY, scopes TEXT NOT NULL, prefix TEXT NOT NULL, environments TEXT NOT NULL);`

/** Their indexes, which are made once the rows are there. */
export const olderIndexes = `
  CREATE INDEX latchkey_keys_by_owner ON latchkey_keys (owner, place);
  CREATE INDEX latchkey_keys_by_revision ON latchkey_keys (revision);
  CREATE INDEX latchkey_secrets_by_place ON latchkey_secrets (place);
  CREATE INDEX latchkey_secrets_imported ON latchkey_secrets (kind) WHERE kind <> 'minted';
  CREATE INDEX latchkey_secrets_by_issuer ON latchkey_secrets (issued_by, place) WHERE issued_by IS NOT NULL;
  CREATE INDEX latchkey_owners_by_revision ON latchkey_owners (revision);
  CREATE INDEX latchkey_once_by_at ON latchkey_once (at);
  CREATE INDEX latchkey_usage_by_key ON latchkey_usage (key_id, hour);
  CREATE INDEX latchkey_usage_by_owner ON latchkey_usage (owner, hour);
  CREATE INDEX latchkey_journal_by_subject ON latchkey_journal (subject, seq);
  CREATE INDEX latchkey_journal_by_actor ON latchkey_journal (actor, seq);
  CREATE INDEX latchkey_journal_by_at ON latchkey_journal (at, seq);`
