/** Random choices that can be made again: the same seed gives the same ones. Not for secrets. */
export interface Random {
  /** A number from 0 up to, but not including, 1. */
  next(): number
  /** A whole number from 0 up to, but not including, `bound`. */
  below(bound: number): number
  /** Whether something that has this probability happens. */
  chance(probability: number): boolean
  pick<Item>(items: readonly [Item, ...Item[]] | readonly Item[]): Item
  /** So many characters, each one of `alphabet`. */
  text(length: number, alphabet: string): string
}

/**
 * The generator sfc32 (Doty-Humphrey, PractRand): small, fast, and without a pattern that a proof could run into.
 *
 * @param seed - a whole number below 2^32.
 *
 * @example seeded(1).below(6) // the same face on every run
 */
export function seeded(seed: number): Random {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed | 0, 1]

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  // Close seeds begin close to each other, and part within a dozen steps.
  for (let step = 0; step < 16; step++) next()

  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(items) {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('There is nothing to pick from.')
      return item
    },
    text: (length, alphabet) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join(''),
  }
}
