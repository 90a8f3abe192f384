import type { Benchmark, Figure } from './figure.ts'
import { differenceOf, interleave, spreadOf } from './measure.ts'
import type { MeasuredServer, Ready } from './measured-server.ts'
import { requestOf } from './request.ts'
import { runOn } from './run-on.ts'

const rounds = 15

const lines = {
  hundred: { name: 'guard, 100 requests/s above 10,000: time of the hook', unit: 'µs', goal: { atMost: 2 } },
  thousand: { name: 'guard, 1,000 requests/s above 10,000: time of the hook', unit: 'µs' },
  noise: { name: '  noise: an open route above another, 100 requests/s', unit: 'µs' },
}

/** The time of the guard when requests are rare, so that each finds memory cold and a lease that has ended. */
export const rate: Benchmark = {
  method:
    'One Fastify application, and its callers in a process of their own, who send at even times over 32 connections that stay ' +
    'open, on each always one key. The time is that from the call of the hook to the call of what follows, ' +
    'the median of a second or so; that of an open route is taken off, which is the time to measure.',

  lines: Object.values(lines),

  run: runOn({ server: 'rate-server.ts', requestsOf, measure }),
}

/** Paths of one length, so that requests are equally long. */
function requestsOf({ secrets }: Ready): Readonly<Record<string, readonly string[]>> {
  const to = (target: string): readonly string[] => secrets.map((secret) => requestOf({ target, secret }))
  return { open: to('/open'), twin: to('/twin'), guarded: to('/keys') }
}

async function measure({ run, noted }: MeasuredServer): Promise<readonly Figure[]> {
  // As fast as it goes, while the engine compiles.
  for (const name of ['open', 'twin', 'guarded']) await run({ name, keys: 'kept', count: 20_000 })
  const paced = (name: string, perSecond: number) => async () => {
    await noted()
    await run({ name, keys: 'kept', count: Math.min(perSecond, 2000), perSecond })
    return spreadOf(await noted()).median
  }
  const times = await interleave({
    contenders: {
      openHundred: paced('open', 100),
      twinHundred: paced('twin', 100),
      guardedHundred: paced('guarded', 100),
      openThousand: paced('open', 1000),
      guardedThousand: paced('guarded', 1000),
      openMany: paced('open', 10_000),
      guardedMany: paced('guarded', 10_000),
    },
    warmUp: 1,
    rounds,
  })
  const own = (guarded: readonly number[], open: readonly number[]): readonly number[] =>
    guarded.map((time, round) => time - (open[round] ?? Number.NaN))
  const many = own(times.guardedMany, times.openMany)
  const aboveMany = (rare: readonly number[], name: string): Pick<Figure, 'value' | 'sides'> => ({
    value: differenceOf(rare, many),
    sides: `10,000/s ${middle(many)}; ${name} ${middle(rare)}`,
  })
  return [
    { ...lines.hundred, ...aboveMany(own(times.guardedHundred, times.openHundred), '100/s') },
    { ...lines.thousand, ...aboveMany(own(times.guardedThousand, times.openThousand), '1,000/s') },
    {
      ...lines.noise,
      value: differenceOf(times.twinHundred, times.openHundred),
      sides: `one ${middle(times.openHundred)}; the other ${middle(times.twinHundred)}`,
    },
  ]
}

const middle = (times: readonly number[]): string => `${spreadOf(times).median.toFixed(2)} µs`
