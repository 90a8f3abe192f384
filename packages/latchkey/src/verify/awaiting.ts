import type { Awaitable } from '../ports.ts'

/** Calls `next` with a value: at once if it is there, or else when its promise is fulfilled. */
export function awaiting<Value, Next>(
  value: Awaitable<Value>,
  next: (value: Value) => Awaitable<Next>,
): Awaitable<Next> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** The same for a value that is made here. If making it fails, calls `failed` with the error, but not if `next` fails. */
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
