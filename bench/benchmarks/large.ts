import { hash, randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { hashSecret, mint } from 'latchkey'
import { olderIndexes, olderTables } from './older-tables.ts'

/** How large the database is. */
export const keys = 1_000_000
export const usageRows = 5_000_000

/** The owner of every second key. Each of the thousand others has five hundred. */
export const largest = 'Large customer'

/** The id of the key that issued a few of the others. */
export const issuer = 'key_issuer'

const [anHour, aDay] = [3_600_000, 86_400_000]
const hours = 30 * 24

/** One of so many keys is used in every hour; all others once or twice in a month. */
const oneInBusy = 222

/**
 * Writes a million keys of every kind, an entry in the journal for each, and a month of usage, in the tables of the
 * seventh version: whoever opens the file brings them up to date. Through the store it would take ten times as long.
 *
 * @returns the secrets of 20,000 keys that are accepted.
 */
export function fillLarge(file: string, progress: (line: string) => void): readonly string[] {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN')
  database.exec(olderTables)
  const secrets = writeKeys(database, progress)
  progress('usage')
  writeUsage(database)
  progress('indexes')
  database.exec(`${olderIndexes} COMMIT`)
  database.close()
  return secrets
}

function writeKeys(database: DatabaseSync, progress: (line: string) => void): readonly string[] {
  const insertKey = database.prepare(`INSERT INTO latchkey_keys (place, id, name, owner, environment, scopes, metadata,
    start, created_at, not_before, expires_at, revoked_at, revoked_reason, revision, disabled_at, disabled_by, salt)
    VALUES (?, ?, ?, ?, ?, ?, '{"plan":"pro"}', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertSecret = database.prepare(`INSERT INTO latchkey_secrets
    (place, hash, start, created_at, retired_at, ends_at, last_used_at, issued_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
  const note = journalOf(database)
  const now = Date.now()
  const since = now - 60 * aDay
  const kept: string[] = []
  for (let place = 1; place <= keys; place++) {
    // Every hundredth has another kind, whatever its owner.
    const kind = Math.floor(place / 2) % 100
    const environment = place % 5 === 0 ? 'test' : 'live'
    const secret = mint({ prefix: 'lk', environment })
    const start = secret.slice(0, 12)
    const id = `key_${randomBytes(15).toString('base64url')}`
    const name = place % 200_000 === 1 ? `Rare shop ${place}` : `Key ${place}`
    const owner = place % 2 === 0 ? largest : `Owner ${place % 2000}`
    const at = since + place
    const random = ((place * 7919) % 86_400) * 30_000
    const ends = kind < 30 ? now + aDay + random : kind === 30 ? now - random : null
    const begins = kind === 31 ? now + aDay : null
    const revoked = kind === 32 || kind === 33 ? now - random : null
    const disabled = kind === 34 ? now - random : null
    const used = kind % 5 < 3 ? now - random : null
    const scopes = kind === 35 ? ['orders:write'] : ['orders:read']
    const about = [id, name, owner, environment, JSON.stringify(scopes), start, at, begins, ends]
    const reason = revoked === null ? null : 'unused'
    const ended = [revoked, reason, place, disabled, disabled === null ? null : 'bench']
    insertKey.run(place, ...about, ...ended, randomBytes(16).toString('hex'))
    const issuedBy = kind === 36 ? issuer : null
    insertSecret.run(place, hashSecret(secret), start, at, null, null, used, issuedBy)
    if (kind === 37 && place % 1000 < 100) {
      const old = hashSecret(mint({ prefix: 'lk', environment }))
      insertSecret.run(place, old, start, at, now - anHour, now + aDay, used, null)
    }
    note({ at, actor: issuedBy ?? 'bench', action: 'issue', subject: id, change: { name, owner, environment, scopes } })
    if (kind >= 50 && kind < 55 && owner === largest && environment === 'live') kept.push(secret)
    if (place % 100_000 === 0) progress(`${place / 1000} of ${keys / 1000} thousand keys`)
  }
  database.exec(`INSERT INTO latchkey_owners SELECT 'Owner ' || (value * 2 + 1), ${now}, '[]', ${keys} + value + 1
    FROM json_each('[0,1,2,3,4,5,6,7,8,9]')`)
  for (let owner = 1; owner < 20; owner += 2) {
    note({ at: now, actor: 'bench', action: 'disable', subject: `owner:Owner ${owner}`, change: {} })
  }
  return kept
}

/** A chain like the keyring's, which is not exported. */
function journalOf(
  database: DatabaseSync,
): (entry: { at: number; actor: string; action: string; subject: string; change: object }) => void {
  const insert = database.prepare('INSERT INTO latchkey_journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  let [seq, previous] = [0, '0'.repeat(64)]
  return ({ at, actor, action, subject, change }) => {
    const entry = [++seq, at, actor, action, subject, JSON.stringify(change), previous] as const
    previous = hash('sha256', JSON.stringify(entry), 'hex')
    insert.run(...entry, previous)
  }
}

/** The busy keys in every hour, and of the others so many that they make the number full. */
function writeUsage(database: DatabaseSync): void {
  const busy = Math.floor(keys / oneInBusy)
  const others = Math.ceil((usageRows - hours * busy) / hours)
  const first = Math.floor(Date.now() / anHour) - hours + 1
  database.exec(`CREATE TEMP TABLE busy AS SELECT place FROM latchkey_keys WHERE place % ${oneInBusy} = 0`)
  const insert = database.prepare(`INSERT INTO latchkey_usage (hour, key_id, owner, outcome, count)
    SELECT $hour, id, owner, CASE WHEN place % 7 = 3 THEN 'over_limit' ELSE 'accepted' END, 1 + place * 7919 % 97
    FROM latchkey_keys WHERE place IN (SELECT place FROM busy)
      OR (place > $after AND place <= $after + ${others} AND place % ${oneInBusy} <> 0) ORDER BY id`)

  for (let hour = 0; hour < hours; hour++) {
    insert.run({ hour: (first + hour) * anHour, after: (hour * others) % (keys - others) })
  }
}
