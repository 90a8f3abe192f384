import { defineProof } from './proof.ts'
import { faults } from './sim-faults.ts'
import { mixes } from './sim-disturbances.ts'
import type { Ran } from './sim-run.ts'
import { prepare, run } from './sim-run.ts'

export const proof = defineProof({
  promise:
    'No instance accepts a key whose revocation was answered, and no quota is overspent, whatever breaks (simulated)',
  takes: 'up to 40 minutes',
  sizes: { n: 20_000, minutes: 40 },
  faults,
  faultSizes: { n: 400 },

  async prove({ sizes: { n, minutes }, seed, progress }) {
    // Errors are made all the time, and nobody reads where.
    Error.stackTraceLimit = 0
    const prepared = await prepare()
    const end = performance.now() + minutes * 60_000
    const total = { answers: 0, accepts: 0, unavailable: 0, wrongAccepts: 0, overspent: 0 }
    const wrong: string[] = []
    let runs = 0
    // One run that is wrong is enough.
    for (; runs < n && wrong.length === 0 && performance.now() < end; runs++) {
      // The mix is chosen by the seed too, so `--n 1 --seed …` is that run again.
      const one = (seed + runs) % 2 ** 32
      const mix = mixes[one % mixes.length] ?? mixes[0]
      const ran = await run(prepared, one, mix)
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += ran[name]
      if (isWrong(ran)) wrong.push(`--seed ${one}, ${mix.name}: ${ran.first ?? 'a quota is overspent'}`)
      if ((runs + 1) % 500 === 0) progress(`${runs + 1} of ${n} runs, ${total.answers} answers`)
    }
    return {
      figures: { runs, ...total },
      required: {
        runs: { atLeast: n },
        wrongAccepts: { is: 0 },
        overspent: { is: 0 },
        // Otherwise too little was tried.
        answers: { atLeast: 10 * runs },
        accepts: { atLeast: 500 * runs },
      },
      details: { wrong },
    }
  },
})

function isWrong({ wrongAccepts, overspent }: Ran): boolean {
  return wrongAccepts > 0 || overspent > 0
}
