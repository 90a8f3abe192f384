import { join } from 'node:path'
import type { Benchmark, Figure } from './figure.ts'
import type { GuardReady } from './guard-server.ts'
import { inGroupsOf, interleave, ratioOf, shuffled, spreadOf } from './measure.ts'
import type { Measured, MeasuredServer } from './measured-server.ts'
import { withMeasuredServer } from './measured-server.ts'
import { requestOf } from './request.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const keys = 2000
/** In a block: some 20 ms, longer than a lease lasts. */
const requests = 1000
const blocksInGroup = 4
const groups = 100

/** The cost of a guard on a route for the server. */
export const guard: Benchmark = {
  method:
    'One Fastify application with empty routes, and its callers, each a process of its own, over loopback and 32 ' +
    'connections that stay open. Callers send the same bytes to the open and to the guarded route, key included: on ' +
    `each connection always one key, or with every request another of ${keys.toLocaleString('en')}. The cost is the CPU time of the whole ` +
    `server process, in blocks of ${requests.toLocaleString('en')} requests, ${blocksInGroup} to a round. A second open route against the first shows what is noise. ` +
    'Keys with two limits, which count every request and refuse none, on the same guarded route as keys without.',

  run: (progress) =>
    inTemporaryFolder((folder) =>
      withMeasuredServer(
        { server: 'guard-server.ts', args: [join(folder, 'latchkey.db'), String(keys)], requestsOf },
        async (server) => {
          progress('measuring')
          return measure(server)
        },
      ),
    ),
}

/** Paths of one length, so that requests are equally long. */
function requestsOf({ secrets, limited }: GuardReady): Readonly<Record<string, readonly string[]>> {
  const to = (target: string, some: readonly string[]): readonly string[] => {
    return shuffled(some).map((secret) => requestOf({ target, secret }))
  }
  return {
    open: to('/open', secrets),
    twin: to('/twin', secrets),
    guarded: to('/keys', secrets),
    limited: to('/keys', limited),
  }
}

async function measure({ run }: MeasuredServer): Promise<readonly Figure[]> {
  const block = (name: string, sent: 'kept' | 'changing') => () => run({ name, keys: sent, count: requests })
  const measured = await interleave({
    contenders: {
      openKept: block('open', 'kept'),
      twinKept: block('twin', 'kept'),
      guardedKept: block('guarded', 'kept'),
      limitedKept: block('limited', 'kept'),
      openChanging: block('open', 'changing'),
      twinChanging: block('twin', 'changing'),
      guardedChanging: block('guarded', 'changing'),
      limitedChanging: block('limited', 'changing'),
    },
    warmUp: 40,
    rounds: groups * blocksInGroup,
  })
  return [
    {
      name: 'guard, one key on a connection: CPU',
      ...costAgainst('guarded', measured.guardedKept, measured.openKept),
      goal: { atMost: 1.05 },
    },
    { name: '  noise: open against open', ...costAgainst('open again', measured.twinKept, measured.openKept) },
    {
      name: 'guard, another key each request: CPU',
      ...costAgainst('guarded', measured.guardedChanging, measured.openChanging),
      goal: { atMost: 1.15 },
    },
    { name: '  noise: open against open', ...costAgainst('open again', measured.twinChanging, measured.openChanging) },
    {
      name: 'two limits, one key on a connection: requests a second',
      ...speedAgainst(measured.limitedKept, measured.guardedKept),
      goal: { atLeast: 0.9 },
    },
    {
      name: 'two limits, another key each request: requests a second',
      ...speedAgainst(measured.limitedChanging, measured.guardedChanging),
      goal: { atLeast: 0.9 },
    },
    {
      name: '  noise: open against open, requests a second',
      ...speedAgainst(measured.twinKept, measured.openKept, ['open', 'open again']),
    },
  ]
}

function grouped(side: readonly Measured[], of: keyof Measured): readonly number[] {
  return inGroupsOf(
    blocksInGroup,
    side.map((block) => block[of]),
  )
}

function told(side: readonly Measured[]): string {
  const perSecond = Math.round(spreadOf(side.map((block) => block.perSecond)).median / 100) * 100
  return `${spreadOf(grouped(side, 'cpu')).median.toFixed(2)} µs, ${perSecond.toLocaleString('en')}/s`
}

function costAgainst(
  name: string,
  measured: readonly Measured[],
  open: readonly Measured[],
): Pick<Figure, 'value' | 'sides'> {
  return {
    value: ratioOf(grouped(measured, 'cpu'), grouped(open, 'cpu')),
    sides: `open ${told(open)}; ${name} ${told(measured)}`,
  }
}

function speedAgainst(
  measured: readonly Measured[],
  baseline: readonly Measured[],
  [one, other] = ['without limits', 'with two'],
): Pick<Figure, 'value' | 'sides'> {
  return {
    value: ratioOf(grouped(measured, 'perSecond'), grouped(baseline, 'perSecond')),
    sides: `${one} ${told(baseline)}; ${other} ${told(measured)}`,
  }
}
