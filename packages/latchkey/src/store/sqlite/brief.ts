/** Milliseconds for which a transaction goes on; its commit takes about as long again. */
const longest = 2

/**
 * Takes steps of a transaction until they have taken long enough, the first in any case, and answers how many. A row can be
 * quick to write or need ten pages from the disk, so their number says nothing about the time.
 */
export function takeSome(steps: Iterable<() => void>): number {
  const began = performance.now()
  let taken = 0
  for (const step of steps) {
    step()
    taken++
    if (performance.now() - began >= longest) break
  }
  return taken
}
