import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fuzzSockets, isServed } from './fuzz-sockets.ts'
import { fuzzVerify } from './fuzz-verify.ts'
import { faults } from './fuzz-faults.ts'
import { defineProof } from './proof.ts'
import { seeded } from './random.ts'
import { startService } from './service.ts'

export const proof = defineProof({
  promise: 'No credential and no request but the right one is ever let through, and none brings the service down',
  takes: 'about a minute',
  sizes: { n: 1_000_000, requests: 50_000 },
  faults,
  faultSizes: { n: 20_000, requests: 2000 },

  async prove({ sizes: { n, requests }, seed, progress }) {
    const verify = await fuzzVerify({ n, random: seeded(seed), progress })
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-fuzz-'))
    const service = await startService({ folder })
    try {
      const sockets = await fuzzSockets({ n: requests, seed, service, progress })
      const served = service.running() && (await isServed(service))
      const failure = await service.stop()
      if (failure !== undefined) progress(failure)
      return {
        figures: {
          accepted: verify.accepted + sockets.accepted,
          // The service's own count minus the expected one: an answer can get lost, an effect cannot.
          letThroughByLog: service.letThrough() - sockets.controls - Number(served),
          serverErrors: verify.unavailable + sockets.serverErrors,
          crashes: verify.thrown + (failure === undefined ? 0 : 1),
          unreadableAnswers: sockets.unreadable,
          hungConnections: sockets.hung,
          rightRefused: verify.controls - verify.controlsAccepted + sockets.controls - sockets.controlsAccepted,
          rightAccepted: verify.controlsAccepted + sockets.controlsAccepted,
          rightNotOwed: sockets.notOwed,
          servedAfterwards: Number(served),
          logLinesWithKey: service.leaks(),
          credentials: verify.presented,
          requests: sockets.presented,
        },
        required: {
          accepted: { is: 0 },
          letThroughByLog: { is: 0 },
          serverErrors: { is: 0 },
          crashes: { is: 0 },
          unreadableAnswers: { is: 0 },
          // Otherwise the service might simply accept nothing.
          rightRefused: { is: 0 },
          rightAccepted: { atLeast: 1 },
          // Rare: the server reads bytes that arrive together with the head.
          rightNotOwed: { below: 1 + requests / 100 },
          servedAfterwards: { is: 1 },
          logLinesWithKey: { is: 0 },
          credentials: { atLeast: n },
          requests: { atLeast: requests },
        },
        details: { refusals: verify.refusals, answers: sockets.answers, silent: sockets.silent },
      }
    } finally {
      await service.stop()
      rmSync(folder, { recursive: true })
    }
  },
})
