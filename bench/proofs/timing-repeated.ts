import type { Subject } from './timing-measure.ts'

/** How often one credential is sent in a round: more often than any deferred work is deferred. */
const calls = 2000

const rounds = 151

/**
 * The nanoseconds of the slowest of many calls in a row with one credential: work that is done once for many calls is
 * in one of them, and a caller who sends many can tell which. Of many rounds, this is the tenth percentile: in slower
 * rounds the machine did something else as well.
 *
 * @returns one figure for each credential, in their order.
 */
export function slowestOfRepeated({ verify }: Pick<Subject, 'verify'>, texts: readonly string[]): readonly number[] {
  const slowest = texts.map((): number[] => [])
  // In turn, so that whatever else the machine does falls on all of them. The first rounds are for the compiler.
  for (let round = -20; round < rounds; round++) {
    for (const [kind, text] of texts.entries()) {
      let most = 0
      for (let call = 0; call < calls; call++) {
        const began = performance.now()
        verify(text)
        most = Math.max(most, performance.now() - began)
      }
      if (round >= 0) slowest[kind]?.push(most * 1e6)
    }
  }
  return slowest.map((times) => times.toSorted((one, other) => one - other)[Math.floor(rounds / 10)] ?? Number.NaN)
}
