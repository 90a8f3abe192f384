import { createHash, randomBytes } from 'node:crypto'
import type { JournalEntry, JournalHead, Limit, Store } from 'latchkey'
import type { Change, JournalDraft, StoredSecret } from 'latchkey/ports'
import { hashSecret, mint, parse, settingsKey } from 'latchkey'

/** The scopes of the keys that benchmarks use. */
export const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Write orders' }

/** More than any benchmark sends: calls are counted and none is refused. */
export const twoLimits: readonly Limit[] = [
  { name: 'minute', limit: 1_000_000_000, window: 60 },
  { name: 'hour', limit: 1_000_000_000, window: 3600 },
]

/** How many keys go into one transaction. */
const batch = 5000

/**
 * Puts keys into a store, through its own `commit`, each with a secret and a journal entry, as if they had been issued.
 *
 * @param keep - of how many keys, spread evenly over the order of issue, the secrets are answered.
 * @param limits - of every key; none if left out.
 * @param progress - called after each transaction with the number of keys so far.
 *
 * @example const secrets = await fill(store, { count: 1000, keep: 1000 })
 */
export async function fill(
  store: Store,
  {
    count,
    keep,
    limits = [],
    progress = () => {},
  }: { count: number; keep: number; limits?: readonly Limit[]; progress?: (filled: number) => void },
): Promise<readonly string[]> {
  const kept: string[] = []
  const every = count / keep
  for (let filled = 0; filled < count;) {
    const changes: Change[] = []
    for (; changes.length < batch && filled < count; filled++) {
      const secret = mint({ prefix: 'lk', environment: 'live' })
      changes.push(insertionOf(secret, filled, limits))
      if (filled >= kept.length * every) kept.push(secret)
    }
    await store.commit(changes, chain)
    progress(filled)
  }
  return kept
}

/** A key that was given nothing but what every key must be given. */
const [blank] = settingsKey({
  name: 'blank',
  secret: mint({ prefix: 'lk', environment: 'live' }),
  scopes: ['orders:read'],
}).keys

function insertionOf(secret: string, number: number, limits: readonly Limit[]): Change {
  const parsed = parse(secret)
  if (blank === undefined || typeof parsed !== 'object') throw new Error('A minted secret was not read back.')
  const id = `key_${randomBytes(15).toString('base64url')}`
  const key = {
    ...blank,
    id,
    name: `Key ${number}`,
    owner: `Owner ${number % 1000}`,
    metadata: { plan: 'pro' },
    start: parsed.start,
    createdAt: Date.now(),
    limits,
  }
  const { name, owner, environment, metadata, start } = key
  const change = JSON.stringify({ name, owner, environment, scopes: key.scopes, metadata, start })
  const draft: JournalDraft = { at: key.createdAt, actor: 'bench', action: 'issue', subject: id, change }
  const kept: StoredSecret = {
    hash: hashSecret(secret),
    kind: 'minted',
    before: null,
    start: parsed.start,
    createdAt: key.createdAt,
    retiredAt: null,
    endsAt: null,
    ended: false,
    lastUsedAt: null,
    issuedBy: null,
  }
  return { kind: 'insert', key, secret: kept, quota: null, draft }
}

/** A chain like the keyring's, which is not exported. */
function chain(draft: JournalDraft, head: JournalHead | undefined): JournalEntry {
  const placed = { ...draft, seq: (head?.seq ?? 0) + 1, previous: head?.hash ?? '0'.repeat(64) }
  return { ...placed, hash: createHash('sha256').update(JSON.stringify(placed)).digest('hex') }
}
