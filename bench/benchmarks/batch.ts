import type { EndpointReady } from './endpoint-server.ts'
import type { Benchmark, Figure } from './figure.ts'
import { interleave, ratioOf, shuffled, spreadOf } from './measure.ts'
import type { MeasuredServer } from './measured-server.ts'
import { cpuInGroups } from './measured-server.ts'
import { requestOf } from './request.ts'
import { runOn } from './run-on.ts'

const keys = 4000
const inBatch = 100
const single = 500
const batches = 32
const blocksInGroup = 4
const groups = 25

const line = {
  name: `verify, ${inBatch} credentials: CPU one by one against one request`,
  goal: { atLeast: 10 },
}

/** What is saved by verifying many credentials with one request. */
export const batch: Benchmark = {
  method:
    `The server of \`endpoint\`. One side asks \`POST /v1/verify\` about each key, the other \`POST /v1/verify/batch\` about ` +
    `${inBatch} keys at a time, with the same requirement; another key each time. Blocks of ${single} and of ${batches} requests, ` +
    `${blocksInGroup} to a round. The ratio is CPU time of the server for one credential: 10 is a tenth of it.`,

  lines: [line],

  run: runOn({ server: 'endpoint-server.ts', args: [String(keys)], requestsOf, measure }),
}

function requestsOf({ secrets, admin }: EndpointReady): Readonly<Record<string, readonly string[]>> {
  const some = shuffled(secrets)
  const scopes = ['orders:read']
  const ask = (target: string, body: object): string =>
    requestOf({ target: `/latchkey/v1/${target}`, secret: admin, body: JSON.stringify(body) })
  const groupsOfKeys = Array.from({ length: keys / inBatch }, (_, index) =>
    some.slice(index * inBatch, (index + 1) * inBatch),
  )
  return {
    single: some.map((credential) => ask('verify', { credential, scopes })),
    batch: groupsOfKeys.map((credentials) => {
      return ask('verify/batch', { calls: credentials.map((credential) => ({ credential })), requirement: { scopes } })
    }),
  }
}

async function measure({ run }: MeasuredServer): Promise<readonly Figure[]> {
  const measured = await interleave({
    contenders: {
      single: () => run({ name: 'single', keys: 'changing', count: single }),
      batch: () => run({ name: 'batch', keys: 'changing', count: batches }),
    },
    warmUp: 20,
    rounds: groups * blocksInGroup,
  })
  const perCredential = {
    single: cpuInGroups(measured.single, blocksInGroup),
    batch: cpuInGroups(measured.batch, blocksInGroup).map((cpu) => cpu / inBatch),
  }
  const told = (times: readonly number[]): string => `${spreadOf(times).median.toFixed(1)} µs`
  return [
    {
      ...line,
      value: ratioOf(perCredential.single, perCredential.batch),
      sides: `one by one ${told(perCredential.single)}, together ${told(perCredential.batch)}`,
    },
  ]
}
