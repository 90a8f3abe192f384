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
 * Entries are filed under the first 28 bits of the hash, a small integer, and the whole hash is compared when one is
 * found: a Map would have to hash all 64 characters of a text that is a hash already, a tenth of a warm verify. Of two
 * entries that share these bits the later one stays; the other is read from the store again.
 *
 * @param limit - how many entries are held at most.
 */
export function recent<Found extends { readonly hash: string }>(limit: number): Recent<Found> {
  const half = Math.max(1, Math.floor(limit / 2))
  let young = new Map<number, Found>()
  let old = new Map<number, Found>()

  function set(found: Found): void {
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(drawerOf(found.hash), found)
  }

  return {
    set,
    get(hash) {
      const drawer = drawerOf(hash)
      const found = young.get(drawer)
      if (found?.hash === hash) return found
      const aged = old.get(drawer)
      if (aged?.hash !== hash) return undefined
      set(aged)
      return aged
    },
    forget(outdated) {
      for (const generation of [young, old]) {
        for (const [drawer, found] of generation) if (outdated(found)) generation.delete(drawer)
      }
    },
    clear() {
      young = new Map()
      old = new Map()
    },
  }
}

/** The value of the first seven hexadecimal digits (0-9 are codes 48 to 57, a-f are 97 to 102). */
function drawerOf(hash: string): number {
  let drawer = 0
  for (let index = 0; index < 7; index++) {
    const code = hash.charCodeAt(index)
    drawer = (drawer << 4) | (code < 58 ? code - 48 : code - 87)
  }
  return drawer
}
