import { startRedis } from '../../test/redis-server.ts'
import { startChild } from './child.ts'
import { defineProof } from './proof.ts'
import { inScratchFolder } from './scratch-folder.ts'
import type { Admitted } from './window-caller.ts'
import { rows } from './window-caller.ts'
import { faults } from './window-faults.ts'

const instances = 4

export const proof = defineProof({
  promise: 'No interval of a window admits more than its limit, by however many instances that share a Redis',
  takes: '2 to 5 minutes',
  sizes: { n: 1_000_000 },
  choices: { limiter: ['redis'] },
  faults,
  faultSizes: { n: 20_000 },

  async prove({ sizes: { n }, seed, progress }) {
    return inScratchFolder('window', async (folder) => {
      const redis = await startRedis()
      const admitted: Admitted[] = []
      let elsewhere = 0
      let told = 0
      try {
        const children = Array.from({ length: instances }, (_, index) =>
          startChild({
            file: new URL('window-caller.ts', import.meta.url),
            args: [redis.url, String(Math.ceil(n / instances)), String(seed + index)],
            folder,
            onLine(line) {
              const said = JSON.parse(line) as readonly Admitted[] | { readonly elsewhere: number }
              if ('elsewhere' in said) elsewhere += said.elsewhere
              else admitted.push(...said)
              if (admitted.length >= told + 20_000) progress(`${(told = admitted.length)} calls admitted`)
            },
          }),
        )
        for (const child of children) {
          const { code } = await child.ended
          if (code !== 0) throw new Error(`An instance has ended. ${child.complaints()}`)
        }
      } finally {
        await redis.kill()
      }
      let [above, surelyAbove, full] = [0, 0, 0]
      for (const [row, windows] of rows.entries()) {
        const calls = admitted.filter(([of]) => of === row)
        for (const { limit, window } of windows) {
          const length = window * 1_000_000
          const byRedis = calls.map(([, cost, at]) => ({ cost, from: at, to: at }))
          const byUs = calls.map(([, cost, , sent, answered]) => ({ cost, from: sent, to: answered }))
          const counted = intervals(byRedis, { limit, length })
          above += counted.above
          full += counted.full
          surelyAbove += intervals(byUs, { limit, length }).above
        }
      }
      return {
        figures: { above, surelyAbove, fullIntervals: full, admitted: admitted.length, countedElsewhere: elsewhere },
        required: {
          above: { is: 0 },
          surelyAbove: { is: 0 },
          countedElsewhere: { is: 0 },
          fullIntervals: { atLeast: n / 200 },
        },
      }
    })
  },
})

/** A call that was counted at some time between these two, in microseconds. */
interface Call {
  readonly cost: number
  readonly from: number
  readonly to: number
}

/**
 * Of the half-open intervals that end with a call, those that certainly had more than the limit in them, and those that
 * had all of it.
 */
function intervals(
  calls: readonly Call[],
  { limit, length }: { readonly limit: number; readonly length: number },
): { readonly above: number; readonly full: number } {
  const sorted = calls.toSorted((one, other) => one.to - other.to)
  let [above, full, first, sum] = [0, 0, 0, 0]
  // All that is between was counted in the last `length`, if the earliest of them was sent in it.
  for (const [index, { cost, to }] of sorted.entries()) {
    sum += cost
    while (first <= index && (sorted[first]?.to ?? 0) <= to - length) sum -= sorted[first++]?.cost ?? 0
    let inside = sum
    for (let at = first; at <= index && inside > limit; at++) {
      if ((sorted[at]?.from ?? 0) <= to - length) inside -= sorted[at]?.cost ?? 0
    }
    if (inside > limit) above++
    if (inside === limit) full++
  }
  return { above, full }
}
