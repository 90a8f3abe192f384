import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import type { Entry, Key, Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Ledger } from './crash-ledger.ts'
import type { Replayed } from './crash-replay.ts'
import { markOf, replay } from './crash-replay.ts'
import { quota, scopes } from './crash-writer.ts'

/** The faults that a check found, one sentence each. */
export interface Findings {
  /** Acknowledged but missing. */
  readonly lost: string[]
  /** Accepted although revoked, disabled or of a disabled owner. */
  readonly alive: string[]
  /** A change of which a part is there. */
  readonly halfApplied: string[]
  /** The database or the journal is not whole. */
  readonly broken: string[]
  /** Changes since the last check that were done but not acknowledged: allowed, and proof of a near miss. */
  readonly unacknowledged: number
}

type Faults = Omit<Findings, 'unacknowledged'>

/** Keys and entries on a page. */
const page = 1000

/**
 * Opens the keyring that a killed process left behind, and compares it with the ledger, and its keys with a replay of
 * its journal. The result becomes part of the ledger: it must still hold at the next check.
 */
export async function checkAfterCrash({ file, ledger }: { file: string; ledger: Ledger }): Promise<Findings> {
  const findings: Faults = { lost: [], alive: [], halfApplied: [], broken: [] }
  let unacknowledged = 0
  let keyring: Keyring
  try {
    keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  } catch (error) {
    findings.broken.push(`The database cannot be opened: ${String(error)}`)
    return { ...findings, unacknowledged }
  }
  try {
    const seen = ledger.head?.seq ?? 0
    await checkJournal(keyring, ledger, findings)
    const keys = await allKeys(keyring)
    const entries = await allEntries(keyring)
    const replayed = replay(entries)
    compare(keys, replayed.keys, findings)
    unacknowledged = entries.filter((entry) => {
      const mark = markOf(entry, entry.change)
      return entry.seq > seen && entry.action !== 'revoke' && !ledger.marks.has(mark ?? '')
    }).length
    checkMarks(entries, replayed, ledger, findings)
    await checkSecrets({ keyring, replayed, ledger, findings })
    await checkSpent(keyring, ledger, findings)
    for (const key of keys.values()) if (key.state === 'revoked') ledger.revoked.add(key.id)
    checkRows(file, replayed, findings)
  } finally {
    await keyring.close()
  }
  return { ...findings, unacknowledged }
}

async function checkJournal(keyring: Keyring, ledger: Ledger, { broken }: Faults): Promise<void> {
  const report = await keyring.verifyJournal({
    rows: true,
    ...(ledger.head === undefined ? {} : { checkpoint: ledger.head }),
  })
  if (report.intact) ledger.head = report.head
  else broken.push(`The journal is not whole: ${JSON.stringify(report)}.`)
}

async function allKeys(keyring: Keyring): Promise<Map<string, Key>> {
  const keys = new Map<string, Key>()
  for (let cursor: string | null | undefined; cursor !== null;) {
    const found: Awaited<ReturnType<Keyring['list']>> = await keyring.list({ limit: page, ...(cursor && { cursor }) })
    for (const key of found.keys) keys.set(key.id, key)
    cursor = found.cursor
  }
  return keys
}

async function allEntries(keyring: Keyring): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const position = cursor === undefined ? {} : { cursor }
    const found = await keyring.journal({ order: 'oldest', limit: page, ...position })
    entries.push(...found.entries)
    cursor = found.cursor
  }
  return entries
}

function compare(keys: ReadonlyMap<string, Key>, replayed: ReadonlyMap<string, Key>, { halfApplied }: Faults): void {
  for (const [id, expected] of replayed) {
    const key = keys.get(id)
    // Usage is no change, and this proof is not about writing usage.
    const as = key === undefined ? undefined : withoutUsage(key)
    if (as === undefined) halfApplied.push(`${id} is in the journal and not among the keys.`)
    else if (!isDeepStrictEqual(as, expected)) halfApplied.push(`${id} is not as the journal says.`)
  }
  for (const id of keys.keys()) if (!replayed.has(id)) halfApplied.push(`${id} is a key and not in the journal.`)
}

/** A key of which nothing was used. */
function withoutUsage(key: Key): Key {
  const { rotation } = key
  return { ...key, lastUsedAt: null, rotation: rotation === null ? null : { ...rotation, oldLastUsedAt: null } }
}

/** Every acknowledged change is in the journal, and every key is as it was requested. */
function checkMarks(entries: readonly Entry[], { keys, marks }: Replayed, ledger: Ledger, { lost }: Faults): void {
  for (const mark of ledger.marks)
    if (!marks.has(mark)) lost.push(`The change ${mark} was acknowledged and is not there.`)
  for (const entry of entries) {
    const told = entry.change as unknown as Pick<Key, 'name' | 'owner' | 'scopes' | 'metadata'>
    const wanted = ledger.issued.get(markOf(entry, told) ?? '')
    const { name, owner, scopes: granted } = told
    if (wanted !== undefined && !isDeepStrictEqual({ name, owner, scopes: granted }, wanted)) {
      lost.push(`${entry.subject} is not what was issued.`)
    }
  }
  // Include keys of which only the revocation was acknowledged: the process that issued them died before it could
  // report them.
  for (const id of ledger.revoked) {
    if (keys.get(id)?.state !== 'revoked') lost.push(`The revocation of ${id} is not there.`)
  }
}

/** The verdict on every reported secret matches the state of its key. */
async function checkSecrets({
  keyring,
  replayed,
  ledger: { secrets, revoked },
  findings: { lost, alive },
}: {
  keyring: Keyring
  replayed: Replayed
  ledger: Ledger
  findings: Faults
}): Promise<void> {
  for (const [secret, id] of secrets) {
    const state = replayed.keys.get(id)?.state
    // Verify with a dry run: the check must not spend anything.
    const verdict = await keyring.verify(secret, {}, { dryRun: true })
    const keyId = verdict.ok ? verdict.key.id : verdict.keyId
    if (verdict.ok && (state !== 'active' || revoked.has(id))) alive.push(`${id} is ${state} and accepted.`)
    // The old secret of a key whose rotation was brought to an end.
    const ended = !verdict.ok && verdict.refusal.code === 'secret_ended'
    const code = verdict.ok ? 'active' : verdict.refusal.code
    if (keyId !== id || (code !== state && !(ended && state === 'active'))) {
      lost.push(`A secret of ${id}, which is ${state}, is ${code}.`)
    }
  }
}

/** Every acknowledged spending has lasted, and no more was spent than requested. */
async function checkSpent(keyring: Keyring, { spent }: Ledger, { lost, halfApplied }: Faults): Promise<void> {
  for (const [id, { acknowledged, begun }] of spent) {
    const left = (await keyring.find(id))?.quotaLeft?.remaining ?? Number.NaN
    if (!(quota - left >= acknowledged)) lost.push(`Of ${id} ${acknowledged} were spent, and ${left} are left.`)
    if (!(quota - left <= begun)) halfApplied.push(`Of ${id} at most ${begun} were spent, and ${left} are left.`)
  }
}

/**
 * Checks the tables, because a keyring does not show this: a key must have its secret even if the secret was never
 * reported.
 */
function checkRows(file: string, replayed: Replayed, { halfApplied, broken }: Faults): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const integrity = Object.values(database.prepare('PRAGMA integrity_check').get() ?? {})
    if (integrity[0] !== 'ok') broken.push(`The database is damaged: ${String(integrity[0])}.`)
    const rows = database
      .prepare(
        `SELECT k.id, COUNT(s.hash) AS secrets, k.quota IS NOT NULL AS meant,
          EXISTS (SELECT 1 FROM latchkey_quotas q WHERE q.place = k.place) AS kept
          FROM latchkey_keys k LEFT JOIN latchkey_secrets s ON s.place = k.place GROUP BY k.place`,
      )
      .all()
    for (const { id, secrets, meant, kept } of rows) {
      const expected = replayed.secrets.get(String(id))
      if (secrets !== expected) halfApplied.push(`${String(id)} has ${String(secrets)} secrets, and not ${expected}.`)
      if (meant !== kept) halfApplied.push(`${String(id)} has a quota, and not both halves of it.`)
    }
    const orphans = database.prepare(
      'SELECT COUNT(*) AS count FROM latchkey_secrets WHERE place NOT IN (SELECT place FROM latchkey_keys)',
    )
    const count = Number(orphans.get()?.['count'])
    if (count > 0) halfApplied.push(`${count} secrets have no key.`)
  } finally {
    database.close()
  }
}
