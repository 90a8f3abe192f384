import type { Entry, Key, Metadata } from 'latchkey'

/** The expected state if everything in the journal was done and nothing else. */
export interface Replayed {
  readonly keys: ReadonlyMap<string, Key>
  /** How many secrets each key has had. */
  readonly secrets: ReadonlyMap<string, number>
  /** The marks of all changes. */
  readonly marks: ReadonlySet<string>
}

/** The members of journal entries that the replay reads. */
interface Told {
  readonly metadata?: Metadata
  readonly algorithm?: string
  readonly bits?: number
  readonly start?: string
  readonly oldEndsAt?: number
  readonly after?: Readonly<Record<string, unknown>> & { readonly disabled?: boolean }
  readonly reason?: NonNullable<Key['revoked']>['reason']
  readonly note?: string
}

const owners = 'owner:'

/** Replays a journal from its first entry on. */
export function replay(entries: readonly Entry[]): Replayed {
  const keys = new Map<string, Key>()
  const secrets = new Map<string, number>()
  const marks = new Set<string>()
  const disabledOwners = new Set<string>()

  for (const entry of entries) {
    const told = entry.change as Told
    const { subject } = entry
    const mark = markOf(entry, told)
    if (mark !== undefined) marks.add(mark)
    if (subject.startsWith(owners)) {
      const owner = subject.slice(owners.length)
      if (told.after?.disabled === true) disabledOwners.add(owner)
      if (told.after?.disabled === false) disabledOwners.delete(owner)
      continue
    }
    const key = after(keys.get(subject), entry, told)
    keys.set(subject, key)
    const makesOne = entry.action === 'issue' || entry.action === 'import' || entry.action === 'rotate'
    secrets.set(subject, (secrets.get(subject) ?? 0) + Number(makesOne))
  }
  for (const [id, key] of keys) keys.set(id, { ...key, state: stateOf(key, disabledOwners) })
  return { keys, secrets, marks }
}

/** The mark of a change. */
export function markOf({ action }: Entry, { metadata, note }: Told): string | undefined {
  if (action !== 'issue' && action !== 'import') return note
  const mark = metadata?.['mark']
  return typeof mark === 'string' ? mark : undefined
}

/** A key after an entry that is about it. */
function after(before: Key | undefined, { seq, at, action, subject }: Entry, told: Told): Key {
  if (action === 'issue' || action === 'import') {
    const { algorithm: _, bits: _1, ...members } = told
    const born = {
      id: subject,
      createdAt: at,
      state: 'active',
      disabledAt: null,
      disabledBy: null,
      revoked: null,
      lastUsedAt: null,
      rotation: null,
    } as const
    return { ...(members as unknown as Key), ...born, revision: seq }
  }
  const key = { ...(before ?? ({ id: subject } as Key)), revision: seq }
  if (action === 'change') return { ...key, ...told.after }
  if (action === 'rotate') {
    const { start = '', oldEndsAt = 0 } = told
    return { ...key, start, rotation: { oldEndsAt, oldLastUsedAt: null } }
  }
  if (action === 'retire') return { ...key, rotation: null }
  if (action === 'disable') return { ...key, disabledAt: at }
  if (action === 'enable') return { ...key, disabledAt: null }
  if (action === 'revoke') return { ...key, revoked: { at, reason: told.reason ?? 'other', note: told.note ?? null } }
  return key
}

function stateOf({ owner, revoked, disabledAt }: Key, disabledOwners: ReadonlySet<string>): Key['state'] {
  if (revoked !== null) return 'revoked'
  if (disabledAt !== null) return 'disabled'
  return disabledOwners.has(owner) ? 'owner_disabled' : 'active'
}
