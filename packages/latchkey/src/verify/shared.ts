/** The most values that one pool holds, and the most characters of their texts together. */
const most = 2000
const mostCharacters = 262_144

/** A value with a longer text is not shared. */
const longest = 1000

/** Gives the value that was made for an equal text before, or else makes it. */
export type Share<Value> = (text: string, make: () => Value) => Value

/**
 * Shares values that are equal, as most scopes of keys are. A pool that is full begins anew: values in use stay where they
 * are used, and are at worst made once more.
 *
 * @example
 * const share = sharing<readonly string[]>()
 * share('["a"]', () => ['a']) === share('["a"]', () => ['a']) // true
 */
export function sharing<Value>(): Share<Value> {
  const pool = new Map<string, Value>()
  let characters = 0
  return (text, make) => {
    const known = pool.get(text)
    if (known !== undefined) return known
    const made = make()
    if (text.length > longest) return made
    if (pool.size >= most || characters + text.length > mostCharacters) {
      pool.clear()
      characters = 0
    }
    pool.set(text, made)
    characters += text.length
    return made
  }
}
