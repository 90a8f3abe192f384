import { setImmediate as nextTurn } from 'node:timers/promises'

/** How many are dealt with between two turns of the event loop at most: so many may wait for a store in a network at once. */
const largest = 50

/** Milliseconds after which there are enough: what is read may have to come from the disk. */
const longest = 2

/** Makes something of many, a piece of them at a time and each piece at once. */
export async function piecewise<Item, Value>(
  items: readonly Item[],
  make: (item: Item, index: number) => Value | Promise<Value>,
): Promise<readonly Value[]> {
  const made: Value[] = []
  while (made.length < items.length) {
    if (made.length > 0) await nextTurn()
    const began = performance.now()
    const piece: (Value | Promise<Value>)[] = []
    for (const item of items.slice(made.length, made.length + largest)) {
      piece.push(make(item, made.length + piece.length))
      if (performance.now() - began >= longest) break
    }
    made.push(...(await Promise.all(piece)))
  }
  return made
}
