/** What can be remembered: found by its hash, and as heavy as it says, in bytes, roughly. */
export interface Rememberable {
  readonly hash: string
  readonly weight: number
}

/** A bounded memory of what was found by hash, which forgets what has not been read for long. */
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
 * Two generations: what is read moves to the young one; when that is full it becomes the old one, and the old one goes.
 * Unlike an exact order of use it costs nothing on the common read, and no entry is ever deleted one by one.
 *
 * @param entries - how many are held at most.
 * @param bytes - how much they weigh at most, but for one that is heavier than half of it alone.
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
