import type { EndpointReady } from './endpoint-server.ts'
import type { Benchmark, Figure } from './figure.ts'
import { interleave, ratioOf, shuffled } from './measure.ts'
import type { Measured, MeasuredServer } from './measured-server.ts'
import { costOf, cpuInGroups } from './measured-server.ts'
import { requestOf } from './request.ts'
import { runOn } from './run-on.ts'

const keys = 2000
const requests = 500
const blocksInGroup = 4
const groups = 50

const lines = {
  kept: { name: 'verify endpoint, one key on a connection: speed by CPU', goal: { atLeast: 0.75 } },
  changing: { name: 'verify endpoint, another key each request: speed by CPU', goal: { atLeast: 0.75 } },
}

/** The cost of verifying over HTTP instead of in the same process. */
export const endpoint: Benchmark = {
  method:
    "One Fastify application with an empty guarded route, and Latchkey's server mounted in it; callers in a process of " +
    'their own, over loopback and 32 connections that stay open. One side sends a GET with its key to the guarded ' +
    'route, the other asks `POST /v1/verify` about the same keys, with an admin key and the same requirement. Neither logs. ' +
    `Blocks of ${requests} requests, ${blocksInGroup} to a round. The ratio is speed by the CPU time of the whole server ` +
    'process, which callers that are slow to parse an answer do not blur: 1 is as fast as the guarded route.',

  lines: Object.values(lines),

  run: runOn({ server: 'endpoint-server.ts', args: [String(keys)], requestsOf, measure }),
}

function requestsOf({ secrets, admin }: EndpointReady): Readonly<Record<string, readonly string[]>> {
  const some = shuffled(secrets)
  const question = (credential: string): string => JSON.stringify({ credential, scopes: ['orders:read'] })
  return {
    route: some.map((secret) => requestOf({ target: '/keys', secret })),
    endpoint: some.map((secret) => requestOf({ target: '/latchkey/v1/verify', secret: admin, body: question(secret) })),
  }
}

async function measure({ run }: MeasuredServer): Promise<readonly Figure[]> {
  const block = (name: string, sent: 'kept' | 'changing') => () => run({ name, keys: sent, count: requests })
  const measured = await interleave({
    contenders: {
      routeKept: block('route', 'kept'),
      endpointKept: block('endpoint', 'kept'),
      routeChanging: block('route', 'changing'),
      endpointChanging: block('endpoint', 'changing'),
    },
    warmUp: 20,
    rounds: groups * blocksInGroup,
  })
  return [
    { ...lines.kept, ...against(measured.endpointKept, measured.routeKept) },
    { ...lines.changing, ...against(measured.endpointChanging, measured.routeChanging) },
  ]
}

function against(asked: readonly Measured[], route: readonly Measured[]): Pick<Figure, 'value' | 'sides'> {
  return {
    value: ratioOf(cpuInGroups(route, blocksInGroup), cpuInGroups(asked, blocksInGroup)),
    sides: `route ${costOf(route)}; endpoint ${costOf(asked)}`,
  }
}
