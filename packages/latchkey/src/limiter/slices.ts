/**
 * What one bucket has counted, in slices, the oldest first. A slice begins with its first call and takes in what comes
 * less than a slice's length after that; it leaves as a whole, a window's length after its last call. So a call counts
 * at least as long as the window, which keeps the limit, and at most one slice longer. Calls that are further apart
 * than a slice have each their own, and are counted exactly.
 */
export interface Slices {
  readonly bucket: string
  /** Milliseconds. */
  readonly window: number
  /** What a slice spans at most, in milliseconds. */
  readonly span: number
  /** The sum over all slices. */
  counted: number
  /** How many slices there are. */
  size: number
  /** Where the oldest one is in the ring. */
  oldest: number
  /** The number of places in the ring less one: a power of two less one, so that going around is a mask. */
  mask: number
  /**
   * For each place three numbers: when its first call came, when its last one, and what is counted. A plain array of
   * numbers is read as quickly as a `Float64Array`, is made several times as quickly, and is smaller when it is small.
   */
  ring: number[]
}

/** Numbers to a place of the ring. */
const width = 3

/**
 * Nothing counted yet.
 *
 * @param options.window - milliseconds.
 * @param options.slices - in how many slices a window is counted.
 */
export function noSlices({ bucket, window, slices }: { bucket: string; window: number; slices: number }): Slices {
  // Two places: most buckets see few calls in a window, and the ring grows for the others.
  const ring = [0, 0, 0, 0, 0, 0]
  return { bucket, window, span: window / slices, counted: 0, size: 0, oldest: 0, mask: 1, ring }
}

/** The same again, to try out what a call would do. */
export function copy(held: Slices): Slices {
  const { bucket, window, span, counted, size, oldest, mask, ring } = held
  return { bucket, window, span, counted, size, oldest, mask, ring: ring.slice() }
}

/** Drops the slices that have left the window. Each is dropped once, so this costs a call no more than it adds. */
export function settle(held: Slices, now: number): void {
  while (held.size > 0 && lastCall(held, 0) + held.window <= now) {
    held.counted -= cost(held, 0)
    held.oldest = (held.oldest + 1) & held.mask
    held.size--
  }
}

/** Counts a call. `settle` goes first. */
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

/** Takes back what a call at `at` has added, from the slice that took it in; nothing if that one has left. */
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

/** Milliseconds until no more than `left` is counted, if nothing comes to it. */
export function untilAtMost(held: Slices, left: number, now: number): number {
  let counted = held.counted
  for (let index = 0; index < held.size && counted > left; index++) {
    counted -= cost(held, index)
    // Never more than the window: `last + window - now` can be, by what is lost in a sum.
    if (counted <= left) return held.window - (now - lastCall(held, index))
  }
  return 0
}

/** Whether nothing is left to be counted, so that the bucket can be forgotten. */
export function isIdle(held: Slices, now: number): boolean {
  return held.size === 0 || lastCall(held, held.size - 1) + held.window <= now
}

/**
 * Twice the places, the oldest in the first; what the new ones hold is overwritten when they are used. Slices begin at
 * least a span apart, so a window never has many more than it was cut into.
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
