/** Entries that are forgotten together, in one step however many they are. */
export interface Group {
  /** The name in the journal of what ends them. */
  readonly subject: string
  changed: boolean
}

/** An entry, with all that its memory must know of it. */
export interface Rememberable {
  /** By this it is found. */
  readonly hash: string
  /** Bytes that it takes, roughly. */
  readonly weight: number
  /** The key whose change ends it. A key has few entries, one for each of its secrets. */
  readonly key: { readonly id: string }
  /** Whose change ends it too. The memory gives equal groups the same object. */
  group: Group
}

/** A bounded memory of entries by hash. It forgets those that have not been read for the longest time. */
export interface Recent<Entry extends Rememberable> {
  get(hash: string): Entry | undefined
  set(found: Entry): void
  /** Forgets the entries of a key, or of a group. Takes no longer the more entries there are. */
  forget(subject: string): void
  clear(): void
}

interface Generation<Entry> {
  readonly entries: Map<string, Entry>
  /** The hashes of each key. */
  readonly hashes: Map<string, string | Set<string>>
  readonly groups: Map<string, Group>
  weight: number
}

/**
 * The memory has two generations. An entry that is read moves to the young one. When the young one is full, it becomes the
 * old one, and the old one is dropped, with its index. Unlike an exact order of use, this costs nothing on a common read,
 * and entries are not deleted one by one.
 *
 * @param entries - the most entries.
 * @param bytes - the most weight of all entries, except for one entry that alone weighs more than half of it.
 */
export function recent<Entry extends Rememberable>({
  entries,
  bytes,
}: {
  readonly entries: number
  readonly bytes: number
}): Recent<Entry> {
  const halfEntries = Math.max(1, Math.floor(entries / 2))
  const halfBytes = bytes / 2
  let young = generation<Entry>()
  let old = generation<Entry>()

  function set(found: Entry): void {
    const isHeavy = young.weight + found.weight > halfBytes && young.entries.size > 0
    if (isHeavy || largest(young) >= halfEntries) {
      old = young
      young = generation()
    }
    drop(young, found.hash)
    young.entries.set(found.hash, found)
    young.weight += found.weight
    index(young, found)
  }

  function aged(hash: string): Entry | undefined {
    const found = old.entries.get(hash)
    if (found === undefined || found.group.changed) return undefined
    set(found)
    return found
  }

  return {
    set,
    get(hash) {
      const found = young.entries.get(hash)
      if (found === undefined) return aged(hash)
      return found.group.changed ? undefined : found
    },
    forget(subject) {
      for (const held of [young, old]) {
        const group = held.groups.get(subject)
        if (group !== undefined) group.changed = true
        held.groups.delete(subject)
        const hashes = held.hashes.get(subject)
        if (hashes === undefined) continue
        for (const hash of typeof hashes === 'string' ? [hashes] : hashes) drop(held, hash)
        held.hashes.delete(subject)
      }
    },
    clear() {
      young = generation()
      old = generation()
    },
  }
}

function generation<Entry>(): Generation<Entry> {
  return { entries: new Map(), hashes: new Map(), groups: new Map(), weight: 0 }
}

/** The size of the largest map: an entry that is forgotten may leave its group, and a former key, in the index. */
function largest({ entries, hashes, groups }: Generation<unknown>): number {
  return Math.max(entries.size, hashes.size, groups.size)
}

function drop<Entry extends Rememberable>(held: Generation<Entry>, hash: string): void {
  const found = held.entries.get(hash)
  if (found === undefined) return
  held.entries.delete(hash)
  held.weight -= found.weight
}

/** Makes an entry known to its key and its group, which has one object in a generation. */
function index<Entry extends Rememberable>({ hashes, groups }: Generation<Entry>, entry: Entry): void {
  const { hash, key, group } = entry
  const others = hashes.get(key.id)
  if (others === undefined) hashes.set(key.id, hash)
  else if (typeof others !== 'string') others.add(hash)
  else if (others !== hash) hashes.set(key.id, new Set([others, hash]))

  const known = groups.get(group.subject)
  if (known === undefined) groups.set(group.subject, group)
  else entry.group = known
}
