/**
 * The counts of one bucket, in slices, the oldest first. A slice begins with its first call, and takes every call within a
 * slice's length after that. It leaves as a whole, a window's length after its last call. So a call counts for at least
 * the length of the window, which keeps the limit, and for at most one slice longer. Calls that are further apart than a
 * slice have a slice each, and are counted exactly.
 */
export interface Slices {
  readonly bucket: string
  /** Milliseconds. */
  readonly window: number
  /** The greatest length of a slice, in milliseconds. */
  readonly span: number
  /** The sum over all slices. */
  counted: number
  /** How many slices there are. */
  size: number
  /** The place of the oldest slice in the ring. */
  oldest: number
  /** The number of places in the ring less one. The number is a power of two, so that an index wraps with a mask. */
  mask: number
  /**
   * Three numbers for each place: the times of its first and its last call, and the count. A plain array of numbers is
   * read as quickly as a `Float64Array`, made several times as quickly, and smaller if it has few elements.
   */
  ring: number[]
}

/** How many numbers a place of the ring has. */
const width = 3

/**
 * A bucket that has counted nothing.
 *
 * @param options.window - milliseconds.
 * @param options.slices - the number of slices in a window.
 */
export function noSlices({ bucket, window, slices }: { bucket: string; window: number; slices: number }): Slices {
  // Two places: most buckets see few calls in a window, and the ring grows for the others.
  const ring = [0, 0, 0, 0, 0, 0]
  return { bucket, window, span: window / slices, counted: 0, size: 0, oldest: 0, mask: 1, ring }
}

/** A copy, to try out what a call would do. */
export function copy(held: Slices): Slices {
  const { bucket, window, span, counted, size, oldest, mask, ring } = held
  return { bucket, window, span, counted, size, oldest, mask, ring: ring.slice() }
}

/** Drops the slices that have left the window. Each is dropped once, so a call pays no more here than for its own slice. */
export function settle(held: Slices, now: number): void {
  while (held.size > 0 && lastCall(held, 0) + held.window <= now) {
    held.counted -= cost(held, 0)
    held.oldest = (held.oldest + 1) & held.mask
    held.size--
  }
}

/** Counts a call. Call `settle` before. */
export function add(held: Slices, now: number, amount: number): void {
  const joins = held.size > 0 && now - firstCall(held, held.size - 1) < held.span
  if (!joins) {
    if (held.size > held.mask) grow(held)
    held.size++
    const offset = offsetOf(held, held.size - 1)
    held.ring[offset] = now
    held.ring[offset + 2] = 0
  }
  const offset = offsetOf(held, held.size - 1)
  held.ring[offset + 1] = now
  held.ring[offset + 2] = (held.ring[offset + 2] ?? 0) + amount
  held.counted += amount
}

/** Takes the count of a call at `at` back from its slice; does nothing if the slice has left. */
export function takeBack(held: Slices, at: number, amount: number): void {
  for (let index = held.size - 1; index >= 0; index--) {
    if (firstCall(held, index) > at) continue
    if (lastCall(held, index) < at) return
    const taken = Math.min(amount, cost(held, index))
    const offset = offsetOf(held, index)
    held.ring[offset + 2] = cost(held, index) - taken
    held.counted -= taken
    return
  }
}

/** Milliseconds until the count is `left` or less, if no further call comes. */
export function untilAtMost(held: Slices, left: number, now: number): number {
  let counted = held.counted
  for (let index = 0; index < held.size && counted > left; index++) {
    counted -= cost(held, index)
    // Never more than the window; `last + window - now` may be, because sums are rounded.
    if (counted <= left) return held.window - (now - lastCall(held, index))
  }
  return 0
}

/** Whether all slices have left, so that the bucket can be forgotten. */
export function isIdle(held: Slices, now: number): boolean {
  return held.size === 0 || lastCall(held, held.size - 1) + held.window <= now
}

/**
 * Doubles the places and moves the oldest slice to the first one. The new places have old numbers until they are used.
 * Slices begin at least a span apart, so a window never has many more slices than it was cut into.
 */
function grow(held: Slices): void {
  const start = held.oldest * width
  held.ring = held.ring.slice(start).concat(held.ring.slice(0, start), held.ring)
  held.oldest = 0
  held.mask = held.mask * 2 + 1
}

const offsetOf = (held: Slices, index: number): number => ((held.oldest + index) & held.mask) * width
const firstCall = (held: Slices, index: number): number => held.ring[offsetOf(held, index)] ?? 0
const lastCall = (held: Slices, index: number): number => held.ring[offsetOf(held, index) + 1] ?? 0
const cost = (held: Slices, index: number): number => held.ring[offsetOf(held, index) + 2] ?? 0
