/**
 * A copy of a value as JSON knows them, which nobody can change, at any depth. What is shared by all requests of a key
 * must be the same for all of them.
 *
 * @example frozenCopy({ plan: { seats: 3 } })
 */
export function frozenCopy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as Value
  // Also a member of the name `__proto__` is a member.
  return Object.freeze(
    Object.fromEntries(Object.entries(value).map(([name, member]) => [name, frozenCopy(member)])),
  ) as Value
}
