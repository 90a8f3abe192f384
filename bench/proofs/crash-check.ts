import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import type { JournalEntry, Key, Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Ledger } from './crash-ledger.ts'
import { scopes } from './crash-writer.ts'

/** What a check found wrong, one sentence each. */
export interface Findings {
  /** Acknowledged, and not there. */
  readonly lost: string[]
  /** Revoked, and accepted. */
  readonly alive: string[]
  /** A change of which a part is there. */
  readonly halfApplied: string[]
  /** The database or the journal is not whole. */
  readonly broken: string[]
  /** Changes that were done since the last check and whose acknowledgement did not arrive: allowed, and proof of a near miss. */
  readonly unacknowledged: number
}

type Faults = Omit<Findings, 'unacknowledged'>

/** Keys and entries on a page. */
const page = 1000

/**
 * Opens the keyring that a killed process left behind and compares it with what the ledger knows, and its keys with a
 * replay of its journal. What it sees becomes part of the ledger: it must still be so at the next check.
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
    compare(keys, replay(entries), findings)
    unacknowledged = entries.filter(({ seq, action, subject }) => {
      return seq > seen && !(action === 'issue' ? ledger.issued : ledger.revoked).has(subject)
    }).length
    await checkAcknowledged(keyring, ledger, findings)
    for (const key of keys.values()) if (key.state === 'revoked') ledger.revoked.add(key.id)
  } finally {
    await keyring.close()
  }
  checkRows(file, findings)
  return { ...findings, unacknowledged }
}

async function checkJournal(keyring: Keyring, ledger: Ledger, { broken }: Faults): Promise<void> {
  const report = await keyring.verifyJournal(ledger.head === undefined ? {} : { anchor: ledger.head })
  if (report.whole) ledger.head = report.head
  else broken.push(`The journal is not whole: ${report.fault} at ${report.at}.`)
}

async function allKeys(keyring: Keyring): Promise<Map<string, Key>> {
  const keys = new Map<string, Key>()
  let cursor: string | null = '0'
  while (cursor !== null) {
    const found: Awaited<ReturnType<Keyring['list']>> = await keyring.list({ cursor, limit: page })
    for (const key of found.keys) keys.set(key.id, key)
    cursor = found.cursor
  }
  return keys
}

async function allEntries(keyring: Keyring): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = []
  for (;;) {
    const found = await keyring.journal({ after: entries.at(-1)?.seq ?? 0, limit: page })
    entries.push(...found)
    if (found.length < page) return entries
  }
}

/** The keys that there must be if everything in the journal was done and nothing else. */
function replay(entries: readonly JournalEntry[]): Map<string, Key> {
  const keys = new Map<string, Key>()
  for (const { at, action, subject, change } of entries) {
    const told = JSON.parse(change) as Record<string, never>
    if (action === 'issue') {
      const born = { id: subject, createdAt: at, state: 'active', revoked: null } as const
      keys.set(subject, { ...(told as unknown as Key), ...born })
    } else {
      const key = keys.get(subject) ?? ({ id: subject } as Key)
      const { reason, note } = told as unknown as NonNullable<Key['revoked']>
      keys.set(subject, { ...key, state: 'revoked', revoked: { at, reason, note } })
    }
  }
  return keys
}

function compare(keys: Map<string, Key>, replayed: Map<string, Key>, { halfApplied }: Faults): void {
  for (const [id, expected] of replayed) {
    const key = keys.get(id)
    if (key === undefined) halfApplied.push(`${id} is in the journal and not among the keys.`)
    else if (!isDeepStrictEqual(key, expected)) halfApplied.push(`${id} is not as the journal says.`)
  }
  for (const id of keys.keys()) if (!replayed.has(id)) halfApplied.push(`${id} is a key and not in the journal.`)
}

async function checkAcknowledged(
  keyring: Keyring,
  { issued, revoked, revoking }: Ledger,
  { lost, alive }: Faults,
): Promise<void> {
  for (const [id, { secret, wanted }] of issued) {
    const key = await keyring.find(id)
    const verdict = await keyring.verify(secret)
    if (key === undefined) {
      lost.push(`${id} was issued and is not there.`)
      continue
    }
    const { name, owner } = key
    if (!isDeepStrictEqual({ name, owner, scopes: key.scopes }, wanted)) lost.push(`${id} is not what was issued.`)
    const refusedAsRevoked = !verdict.ok && verdict.refusal.code === 'revoked' && verdict.keyId === id
    if (revoked.has(id)) {
      if (verdict.ok) alive.push(`${id} was revoked and is accepted.`)
      else if (!refusedAsRevoked) lost.push(`${id} was revoked and is refused for another reason.`)
    } else if (!(verdict.ok && verdict.key.id === id) && !(refusedAsRevoked && revoking.has(id))) {
      lost.push(`${id} was issued, nobody revoked it, and its secret is refused.`)
    }
  }
  // Also of keys of which only the revocation was acknowledged: whoever issued them died before saying so.
  for (const id of revoked) {
    if ((await keyring.find(id))?.state !== 'revoked') lost.push(`The revocation of ${id} is not there.`)
  }
}

/** What cannot be seen through a keyring: keys whose secret nobody was told must have one all the same. */
function checkRows(file: string, { halfApplied, broken }: Faults): void {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const integrity = Object.values(database.prepare('PRAGMA integrity_check').get() ?? {})
    if (integrity[0] !== 'ok') broken.push(`The database is damaged: ${String(integrity[0])}.`)
    const unmatched = database.prepare(
      `SELECT (SELECT COUNT(*) FROM latchkey_keys WHERE place NOT IN (SELECT place FROM latchkey_secrets)) +
        (SELECT COUNT(*) FROM latchkey_secrets WHERE place NOT IN (SELECT place FROM latchkey_keys)) AS count`,
    )
    const count = Number(unmatched.get()?.['count'])
    if (count > 0) halfApplied.push(`${count} keys have no secret, or secrets no key.`)
  } finally {
    database.close()
  }
}
