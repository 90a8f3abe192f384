/**
 * Copies a JSON value and freezes the copy at every depth. All requests of a key share the copy, so none may change it
 * for the others.
 *
 * @example frozenCopy({ plan: { seats: 3 } })
 */
export function frozenCopy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as Value
  // A member named `__proto__` is copied like any other member.
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])),
  ) as Value
}
