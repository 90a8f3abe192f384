/** A bounded memory of what was found by hash, which forgets what has not been read for long. */
export interface Recent<Found extends { readonly hash: string }> {
  get(hash: string): Found | undefined
  set(found: Found): void
  /** Drops every entry for which `outdated` holds. */
  forget(outdated: (found: Found) => boolean): void
  clear(): void
}

/**
 * Two generations: what is read moves to the young one; when that is full it becomes the old one, and the old one goes.
 * Unlike an exact order of use it costs nothing on the common read, and no entry is ever deleted one by one.
 *
 * @param limit - how many entries are held at most.
 */
export function recent<Found extends { readonly hash: string }>(limit: number): Recent<Found> {
  const half = Math.max(1, Math.floor(limit / 2))
  let young = new Map<string, Found>()
  let old = new Map<string, Found>()

  function set(found: Found): void {
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(found.hash, found)
  }

  return {
    set,
    get(hash) {
      const found = young.get(hash)
      if (found !== undefined) return found
      const aged = old.get(hash)
      if (aged !== undefined) set(aged)
      return aged
    },
    forget(outdated) {
      for (const generation of [young, old]) {
        for (const [hash, found] of generation) if (outdated(found)) generation.delete(hash)
      }
    },
    clear() {
      young = new Map()
      old = new Map()
    },
  }
}
