import type { Awaitable } from 'latchkey'

/** The middle of many measurements, and the quartiles around it. */
export interface Spread {
  readonly median: number
  readonly lower: number
  readonly upper: number
}

/** The median and the quartiles of measurements, in their own unit. */
export function spreadOf(measurements: readonly number[]): Spread {
  const sorted = measurements.toSorted((one, other) => one - other)
  return { median: quantile(sorted, 0.5), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) }
}

/**
 * The spread of one contender's measurements divided by another's, round by round: a machine that was slow for a
 * moment was slow for both.
 */
export function ratioOf(measured: readonly number[], baseline: readonly number[]): Spread {
  return spreadOf(measured.map((value, round) => value / (baseline[round] ?? Number.NaN)))
}

/** The spread of what one contender measured above another, round by round, in their own unit. */
export function differenceOf(measured: readonly number[], baseline: readonly number[]): Spread {
  return spreadOf(measured.map((value, round) => value - (baseline[round] ?? Number.NaN)))
}

/**
 * The means of so many measurements in a row: short measurements follow the changes of a machine, and what is rare in
 * each of them, such as the collection of garbage, is in every group.
 */
export function inGroupsOf(size: number, measurements: readonly number[]): readonly number[] {
  const groups: number[] = []
  for (let first = 0; first + size <= measurements.length; first += size) {
    const group = measurements.slice(first, first + size)
    groups.push(group.reduce((sum, value) => sum + value, 0) / size)
  }
  return groups
}

/**
 * Measures contenders side by side: every round measures each of them once, in random order, so that what changes on
 * the machine changes for all.
 *
 * @param warmUp - how many rounds come first and are thrown away, while the engine compiles.
 *
 * @example
 * const times = await interleave({ contenders: { one: () => time(one), two: () => time(two) }, warmUp: 5, rounds: 50 })
 * ratioOf(times.one, times.two).median
 */
export async function interleave<Name extends string, Measurement>({
  contenders,
  warmUp,
  rounds,
}: {
  contenders: Readonly<Record<Name, () => Awaitable<Measurement>>>
  warmUp: number
  rounds: number
}): Promise<Readonly<Record<Name, readonly Measurement[]>>> {
  const names = Object.keys(contenders) as Name[]
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Measurement[]>
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of shuffled(names)) {
      const measurement = await contenders[name]()
      if (round >= 0) measured[name].push(measurement)
    }
  }
  return measured
}

/** The median of times in nanoseconds, in microseconds and to be read. */
export function microseconds(times: readonly number[]): string {
  return `${(spreadOf(times).median / 1000).toFixed(2)} µs`
}

/** The same items in random order (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[]): readonly Item[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[order[last], order[other]] = [order[other] as Item, order[last] as Item]
  }
  return order
}

function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}
