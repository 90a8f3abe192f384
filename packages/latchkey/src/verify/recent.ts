/** An entry: its hash, by which it is found, and its weight, which is roughly its bytes. */
export interface Rememberable {
  readonly hash: string
  readonly weight: number
}

/** A bounded memory of entries by hash. It forgets those that have not been read for the longest time. */
export interface Recent<Entry extends Rememberable> {
  get(hash: string): Entry | undefined
  set(found: Entry): void
  /** Drops every entry for which `outdated` holds. */
  forget(outdated: (found: Entry) => boolean): void
  clear(): void
}

interface Generation<Entry> {
  readonly entries: Map<string, Entry>
  weight: number
}

/**
 * The memory has two generations. An entry that is read moves to the young one. When the young one is full, it becomes the
 * old one, and the old one is dropped. Unlike an exact order of use, this costs nothing on a common read, and entries are
 * not deleted one by one.
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
    if (young.entries.size >= halfEntries || (young.weight + found.weight > halfBytes && young.entries.size > 0)) {
      old = young
      young = generation()
    }
    drop(young, found.hash)
    young.entries.set(found.hash, found)
    young.weight += found.weight
  }

  return {
    set,
    get(hash) {
      const found = young.entries.get(hash)
      if (found !== undefined) return found
      const aged = old.entries.get(hash)
      if (aged !== undefined) set(aged)
      return aged
    },
    forget(outdated) {
      for (const held of [young, old]) {
        for (const [hash, found] of held.entries) if (outdated(found)) drop(held, hash)
      }
    },
    clear() {
      young = generation()
      old = generation()
    },
  }
}

function generation<Entry>(): Generation<Entry> {
  return { entries: new Map(), weight: 0 }
}

function drop<Entry extends Rememberable>(held: Generation<Entry>, hash: string): void {
  const found = held.entries.get(hash)
  if (found === undefined) return
  held.entries.delete(hash)
  held.weight -= found.weight
}
