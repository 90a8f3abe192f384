import type { Awaitable } from '../ports.ts'

/** Goes on with a value: now if it is there, or else when it comes. */
export function awaiting<Value, Next>(
  value: Awaitable<Value>,
  next: (value: Value) => Awaitable<Next>,
): Awaitable<Next> {
  return value instanceof Promise ? value.then(next) : next(value)
}
