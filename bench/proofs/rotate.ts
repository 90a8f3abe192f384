import { faults } from './rotate-faults.ts'
import { defineProof } from './proof.ts'
import { seeded } from './random.ts'
import { checkRealEnds, checkTurnedEnds } from './rotate-end.ts'
import { graceful, immediate, raceRotations } from './rotate-race.ts'
import { inScratchFolder } from './scratch-folder.ts'

export const proof = defineProof({
  promise:
    'Of many rotations at once one is done, and an old secret works until its stated end and not a millisecond longer',
  takes: 'about two minutes',
  sizes: { n: 200, rotations: 64, turned: 5000, real: 800 },
  faults,
  faultSizes: { n: 4, turned: 100, real: 20 },

  async prove({ sizes: { n: rounds, rotations, turned, real }, seed, progress }) {
    return inScratchFolder('rotate', async (folder) => {
      const races = await raceRotations({ kind: graceful, rounds, rotations, folder, progress })
      const later = await raceRotations({ kind: immediate, rounds, rotations, folder, progress })
      const onTurned = await checkTurnedEnds({ n: turned, random: seeded(seed), folder, progress })
      const onReal = await checkRealEnds({ n: real, folder, progress })
      return {
        figures: {
          racesNotWon: races.racesNotWon + later.racesNotWon,
          successors: races.successors + later.successors,
          conflicts: races.conflicts + later.conflicts,
          rotationsFailed: races.failures + later.failures,
          secretsWrong: races.secretsWrong + later.secretsWrong,
          journalWrong: races.entriesWrong + later.entriesWrong,
          acceptedLate: onTurned.acceptedLate + onReal.acceptedLate,
          refusedEarly: onTurned.refusedEarly + onReal.refusedEarly,
          newRefused: onTurned.newRefused + onReal.newRefused,
          endsOnTurnedClock: onTurned.sharp,
          endsOnRealClock: onReal.sharp,
          callsAroundEnds: onTurned.calls + onReal.calls,
          processesThatWon: races.wonBy.filter((won) => won > 0).length,
        },
        required: {
          racesNotWon: { is: 0 },
          successors: { is: 2 * rounds },
          conflicts: { is: 2 * rounds * (rotations - 1) },
          rotationsFailed: { is: 0 },
          secretsWrong: { is: 0 },
          journalWrong: { is: 0 },
          acceptedLate: { is: 0 },
          refusedEarly: { is: 0 },
          newRefused: { is: 0 },
          endsOnTurnedClock: { is: turned },
          // Otherwise too few ends were checked: a busy machine may stop us while one passes.
          endsOnRealClock: { atLeast: Math.ceil(real / 10) },
          // Otherwise there was no race.
          processesThatWon: { atLeast: rounds < 10 ? 1 : 2 },
        },
        details: { racesWonBy: races.wonBy, racesWithoutGraceWonBy: later.wonBy },
      }
    })
  },
})
