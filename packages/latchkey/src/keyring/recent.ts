/** A bounded map that forgets what has not been read for long. */
export interface Recent<Value> {
  get(name: string): Value | undefined
  set(name: string, value: Value): void
  /** Drops every entry for which `outdated` holds. */
  forget(outdated: (value: Value) => boolean): void
  clear(): void
}

/**
 * Two generations: what is read moves to the young one; when that is full it becomes the old one, and the old one goes.
 * Unlike an exact order of use it costs nothing on the common read, and no entry is ever deleted one by one.
 *
 * @param limit - how many entries are held at most.
 */
export function recent<Value>(limit: number): Recent<Value> {
  const half = Math.max(1, Math.floor(limit / 2))
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

  function set(name: string, value: Value): void {
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(name, value)
  }

  return {
    set,
    get(name) {
      const found = young.get(name)
      if (found !== undefined) return found
      const aged = old.get(name)
      if (aged !== undefined) set(name, aged)
      return aged
    },
    forget(outdated) {
      for (const generation of [young, old]) {
        for (const [name, value] of generation) if (outdated(value)) generation.delete(name)
      }
    },
    clear() {
      young = new Map()
      old = new Map()
    },
  }
}
