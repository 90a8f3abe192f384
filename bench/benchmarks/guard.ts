import type { Benchmark, Figure } from './figure.ts'
import type { GuardReady } from './guard-server.ts'
import { interleave, ratioOf, shuffled } from './measure.ts'
import type { Measured, MeasuredServer } from './measured-server.ts'
import { costOf, cpuInGroups } from './measured-server.ts'
import { requestOf } from './request.ts'
import { runOn } from './run-on.ts'

const keys = 10_000
/** In a block: some 20 ms, longer than a lease lasts. */
const requests = 1000
const blocksInGroup = 4
const groups = 100

const lines = {
  kept: { name: 'guard, one key on a connection: CPU', goal: { atMost: 1.05 } },
  keptNoise: { name: '  noise: open against open' },
  changing: { name: 'guard, another key each request: CPU', goal: { atMost: 1.15 } },
  changingNoise: { name: '  noise: open against open, another key each request' },
  limitsKept: { name: 'two limits, one key on a connection: speed by CPU', goal: { atLeast: 0.92 } },
  limitsChanging: { name: 'two limits, another key each request: speed by CPU', goal: { atLeast: 0.92 } },
}

/** The cost of a guard on a route for the server. */
export const guard: Benchmark = {
  method:
    'One Fastify application with empty routes, and its callers, each a process of its own, over loopback and 32 ' +
    'connections that stay open. Callers send the same bytes to the open and to the guarded route, key included: on ' +
    `each connection always one key, or with every request another of ${keys.toLocaleString('en')}. The cost is the CPU time of the whole ` +
    `server process, in blocks of ${requests.toLocaleString('en')} requests, ${blocksInGroup} to a round. A second open route against the first shows what is noise. ` +
    'Keys with two limits, which count every request and refuse none, on the same guarded route as keys without.',

  lines: Object.values(lines),

  run: runOn({ server: 'guard-server.ts', args: [String(keys)], requestsOf, measure }),
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
    { ...lines.kept, ...costAgainst('guarded', measured.guardedKept, measured.openKept) },
    { ...lines.keptNoise, ...costAgainst('open again', measured.twinKept, measured.openKept) },
    { ...lines.changing, ...costAgainst('guarded', measured.guardedChanging, measured.openChanging) },
    { ...lines.changingNoise, ...costAgainst('open again', measured.twinChanging, measured.openChanging) },
    { ...lines.limitsKept, ...speedAgainst(measured.limitedKept, measured.guardedKept) },
    { ...lines.limitsChanging, ...speedAgainst(measured.limitedChanging, measured.guardedChanging) },
  ]
}

function costAgainst(
  name: string,
  measured: readonly Measured[],
  open: readonly Measured[],
): Pick<Figure, 'value' | 'sides'> {
  return {
    value: ratioOf(cpuInGroups(measured, blocksInGroup), cpuInGroups(open, blocksInGroup)),
    sides: `open ${costOf(open)}; ${name} ${costOf(measured)}`,
  }
}

function speedAgainst(limited: readonly Measured[], free: readonly Measured[]): Pick<Figure, 'value' | 'sides'> {
  return {
    // The time of those without limits by the time of those with two is their speed.
    value: ratioOf(cpuInGroups(free, blocksInGroup), cpuInGroups(limited, blocksInGroup)),
    sides: `without limits ${costOf(free)}; with two ${costOf(limited)}`,
  }
}
