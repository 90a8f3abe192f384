import type { Benchmark, Figure } from './figure.ts'
import { interleave, ratioOf } from './measure.ts'
import type { Measured, MeasuredServer, Ready } from './measured-server.ts'
import { costOf, cpuInGroups } from './measured-server.ts'
import { requestOf } from './request.ts'
import { runOn } from './run-on.ts'

const keys = 1000
const requests = 500
const blocksInGroup = 4
const groups = 10

/** By the names of the frameworks, as the server has them. */
const lines = {
  hono: { name: 'guard for Hono, one key on a connection: CPU', goal: { atMost: 1.15 } },
  honoNoise: { name: '  noise: Hono against Hono' },
  express: { name: 'guard for Express, one key on a connection: CPU', goal: { atMost: 1.15 } },
  expressNoise: { name: '  noise: Express against Express' },
  fetch: { name: 'guard for handlers of Requests, one key: CPU', goal: { atMost: 1.15 } },
  fetchNoise: { name: '  noise: a handler against a handler' },
}

/** The cost of the guards of other frameworks than Fastify. */
export const guards: Benchmark = {
  method:
    'Nine applications in one process, on Node: for Hono, for Express and for a handler of Requests one with an empty ' +
    'middleware that sets `Cache-Control`, the same again (which shows what is noise), and one with the guard in its place, ' +
    'which sets it, too. Callers in a process of their own, over loopback and 32 ' +
    'connections to each that stay open, send the same bytes to all, on each connection always one key. The cost is the CPU ' +
    `time of the whole server process, in blocks of ${requests.toLocaleString('en')} requests, ${blocksInGroup} to a round.`,

  lines: Object.values(lines),

  run: runOn({ server: 'guards-server.ts', args: [String(keys)], requestsOf, measure }),
}

const frameworks = ['hono', 'express', 'fetch'] as const
type Side = `${(typeof frameworks)[number]}${'Plain' | 'Again' | 'Guarded'}`
const sides = frameworks.flatMap((framework) => {
  return (['Plain', 'Again', 'Guarded'] as const).map((side): Side => `${framework}${side}`)
})

function requestsOf({ secrets }: Ready): Readonly<Record<string, readonly string[]>> {
  const same = secrets.map((secret) => requestOf({ target: '/', secret }))
  return Object.fromEntries(sides.map((side) => [side, same]))
}

async function measure({ run }: MeasuredServer): Promise<readonly Figure[]> {
  const block = (name: Side) => [name, () => run({ name, keys: 'kept', count: requests })] as const
  const measured = await interleave<Side, Measured>({
    contenders: Object.fromEntries(sides.map(block)) as Record<Side, () => Promise<Measured>>,
    warmUp: 10,
    rounds: groups * blocksInGroup,
  })
  return frameworks.flatMap((framework) => {
    const plain = measured[`${framework}Plain`]
    const against = (name: string, side: readonly Measured[]): Pick<Figure, 'value' | 'sides'> => ({
      value: ratioOf(cpuInGroups(side, blocksInGroup), cpuInGroups(plain, blocksInGroup)),
      sides: `middleware ${costOf(plain)}; ${name} ${costOf(side)}`,
    })
    return [
      { ...lines[framework], ...against('guard', measured[`${framework}Guarded`]) },
      { ...lines[`${framework}Noise`], ...against('again', measured[`${framework}Again`]) },
    ]
  })
}
