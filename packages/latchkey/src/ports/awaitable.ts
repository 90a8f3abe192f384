/** A value now, or the promise of one: embedded stores answer at once, and the warm path must not wait for a promise. */
export type Awaitable<Value> = Value | Promise<Value>
