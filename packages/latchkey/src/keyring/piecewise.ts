import { setImmediate as nextTurn } from 'node:timers/promises'

/** How many are dealt with between two turns of the event loop: a thousand at once would keep all other work waiting. */
const piece = 50

/** Makes something of many, a piece of them at a time and each piece at once. */
export async function piecewise<Item, Value>(
  items: readonly Item[],
  make: (item: Item, index: number) => Value | Promise<Value>,
): Promise<readonly Value[]> {
  const made: Value[] = []
  for (let start = 0; start < items.length; start += piece) {
    if (start > 0) await nextTurn()
    const some = items.slice(start, start + piece)
    made.push(...(await Promise.all(some.map((item, index) => make(item, start + index)))))
  }
  return made
}
