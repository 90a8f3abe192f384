import type { Awaitable } from '../ports.ts'

/** Goes on with a value: now if it is there, or else when it comes. */
export function awaiting<Value, Next>(
  value: Awaitable<Value>,
  next: (value: Value) => Awaitable<Next>,
): Awaitable<Next> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** The same, and goes on with what made it fail where it does. What `next` throws is not its business. */
export function attempting<Value, Next>(
  make: () => Awaitable<Value>,
  next: (value: Value) => Awaitable<Next>,
  failed: (error: unknown) => Awaitable<Next>,
): Awaitable<Next> {
  let value: Awaitable<Value>
  try {
    value = make()
  } catch (error) {
    return failed(error)
  }
  return value instanceof Promise ? value.then(next, failed) : next(value)
}
