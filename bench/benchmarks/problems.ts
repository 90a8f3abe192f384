import type { Benchmark, Figure } from './figure.ts'
import { differenceOf, interleave } from './measure.ts'
import type { MeasuredServer } from './measured-server.ts'
import { costOf, cpuInGroups, withMeasuredServer } from './measured-server.ts'
import { requestOf } from './request.ts'

const requests = 1000
const blocksInGroup = 4
const groups = 100

const above = { unit: 'µs', goal: { atMost: 1 } }

const lines = {
  problems: { name: 'problems, above bare Fastify: CPU', ...above },
  both: { name: 'problems and connections, above bare Fastify: CPU', ...above },
  noise: { name: '  noise: bare above bare', unit: 'µs' },
}

/** The cost of the plugins that an application registers beside the guard. */
export const problems: Benchmark = {
  method:
    'Four Fastify applications in one process, each with one empty route: bare, bare again (which shows what is noise), ' +
    'with `problems`, and with `problems` and `connections`. Callers in a process of their own, over loopback and 32 ' +
    'connections to each that stay open, send the same bytes to all. The cost is the CPU time of the whole server process for a ' +
    `request, in blocks of ${requests.toLocaleString('en')} requests, ${blocksInGroup} to a round.`,

  lines: Object.values(lines),

  async run(progress) {
    const request = requestOf({ target: '/', secret: `lk_live_${'0'.repeat(38)}` })
    // One request for each connection.
    const same = Array.from({ length: 32 }, () => request)
    const requestsOf = (): Readonly<Record<Side, readonly string[]>> => {
      return { bare: same, again: same, withProblems: same, withBoth: same }
    }
    return withMeasuredServer({ server: 'problems-server.ts', args: [], requestsOf }, async (server) => {
      progress('measuring')
      return measure(server)
    })
  },
}

type Side = 'bare' | 'again' | 'withProblems' | 'withBoth'

async function measure({ run }: MeasuredServer): Promise<readonly Figure[]> {
  const block = (name: Side) => () => run({ name, keys: 'kept', count: requests })
  const measured = await interleave({
    contenders: {
      bare: block('bare'),
      again: block('again'),
      withProblems: block('withProblems'),
      withBoth: block('withBoth'),
    },
    warmUp: 40,
    rounds: groups * blocksInGroup,
  })
  const aboveBare = (side: Side, name: string): Pick<Figure, 'value' | 'sides'> => ({
    value: differenceOf(cpuInGroups(measured[side], blocksInGroup), cpuInGroups(measured.bare, blocksInGroup)),
    sides: `bare ${costOf(measured.bare)}; ${name} ${costOf(measured[side])}`,
  })
  return [
    { ...lines.problems, ...aboveBare('withProblems', 'with it') },
    { ...lines.both, ...aboveBare('withBoth', 'with both') },
    { ...lines.noise, ...aboveBare('again', 'again') },
  ]
}
