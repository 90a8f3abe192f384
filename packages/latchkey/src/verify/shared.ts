/** The most values that one pool holds, and the longest text of one of them. */
const most = 10_000
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
  return (text, make) => {
    const known = pool.get(text)
    if (known !== undefined) return known
    const made = make()
    if (pool.size >= most) pool.clear()
    if (text.length <= longest) pool.set(text, made)
    return made
  }
}
