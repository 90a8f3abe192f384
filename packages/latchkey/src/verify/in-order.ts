import { setImmediate as nextTurn } from 'node:timers/promises'

/** How many are sorted, or merged, before the event loop turns: some tenths of a millisecond. */
const atOnce = 500

/** Sorts very many without holding the event loop. The list that is given stays as it is. */
export async function inOrder<Item>(
  items: readonly Item[],
  compare: (one: Item, other: Item) => number,
): Promise<Item[]> {
  let runs: Item[][] = []
  for (let at = 0; at < items.length; at += atOnce) {
    if (at > 0) await nextTurn()
    runs.push(items.slice(at, at + atOnce).toSorted(compare))
  }
  while (runs.length > 1) {
    const merged: Item[][] = []
    for (let at = 0; at < runs.length; at += 2) merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

async function merge<Item>(
  ones: readonly Item[],
  others: readonly Item[],
  compare: (one: Item, other: Item) => number,
): Promise<Item[]> {
  const merged: Item[] = []
  for (let [at, to] = [0, 0]; ;) {
    const [one, other] = [ones[at], others[to]]
    if (one === undefined || other === undefined) return [...merged, ...ones.slice(at), ...others.slice(to)]
    const isFirst = compare(one, other) <= 0
    merged.push(isFirst ? one : other)
    if (isFirst) at++
    else to++
    if (merged.length % atOnce === 0) await nextTurn()
  }
}
