import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Random } from './random.ts'

/** The subject and the inputs of a measurement. */
export interface Subject {
  readonly verify: (text: string) => unknown
  readonly close: () => Promise<void>
}

/** Credentials of several kinds, as many of each. */
export type Pools = readonly (readonly string[])[]

/** How a measurement is made. */
export interface MeasureOptions {
  /** A new subject, with nothing in its cache. */
  readonly open: () => Promise<Subject>
  /** Credentials for one block. */
  readonly draw: () => Pools
  /** Calls with each kind. */
  readonly calls: number
  readonly random: Random
  readonly progress: (line: string) => void
}

/** In how many blocks the calls are made. */
const blocks = 100

/** Collects all garbage, and so moves whatever stays to where it will stay. */
const collect = garbageCollector()

/**
 * The nanoseconds of calls with each kind of credential, in random order.
 *
 * Where a cached object came to lie in memory, and which branches its hash happens to take, makes some nanoseconds of
 * difference that say nothing of its kind. So the calls are made in blocks, each with a new cache, other credentials and
 * another layout, which makes noise of it; and what is cached is first moved to where it stays, as in a server that has
 * been up for a while.
 *
 * @returns one sample for each kind, in the order of the pools.
 */
export async function measure({
  open,
  draw,
  calls,
  random,
  progress,
}: MeasureOptions): Promise<readonly Float64Array[]> {
  const perBlock = Math.max(1, Math.ceil(calls / blocks))
  const samples: Float64Array[] = []
  // The first one is not counted: it is there for the compiler.
  for (let block = -1; block * perBlock < calls; block++) {
    const { verify, close } = await open()
    const pools = draw()
    // Side by side, so that none of the kinds has a part of the memory for itself.
    for (let index = 0; index < (pools[0]?.length ?? 0); index++) {
      for (const pool of shuffled(pools, random)) verify(textOf(pool[index]))
    }
    collect()
    for (const kind of pools.keys()) samples[kind] ??= new Float64Array(calls)
    const parts =
      block < 0
        ? pools.map(() => new Float64Array(warmUp))
        : samples.map((sample) => sample.subarray(block * perBlock, (block + 1) * perBlock))
    time({ verify, pools, samples: parts, random })
    await close()
    if (block > 0 && block % 25 === 0)
      progress(`${block * perBlock} of ${calls} calls with each of ${pools.length} kinds`)
  }
  return samples
}

/** Calls with each kind in the block that is not counted. */
const warmUp = 20_000

/** Fills the samples. All texts are there before the first call, so that nothing is prepared between two. */
function time({
  verify,
  pools,
  samples,
  random,
}: {
  verify: (text: string) => unknown
  pools: Pools
  samples: readonly Float64Array[]
  random: Random
}): void {
  const kinds = shuffled(
    samples.flatMap((sample, kind) => Array.from(sample, () => kind)),
    random,
  )
  const texts = kinds.map((kind) => textOf(random.pick(pools[kind] ?? [])))
  const times = new Float64Array(kinds.length)
  for (let index = 0; index < texts.length; index++) {
    const text = texts[index] as string
    const began = performance.now()
    verify(text)
    times[index] = performance.now() - began
  }
  const filled = samples.map(() => 0)
  for (const [index, kind] of kinds.entries()) {
    const place = filled[kind] as number
    ;(samples[kind] as Float64Array)[place] = (times[index] as number) * 1e6
    filled[kind] = place + 1
  }
}

/** A string of its own, laid out like all others: slices and concatenations of strings take other times. */
function textOf(secret: string | undefined): string {
  return Buffer.from(secret ?? '', 'latin1').toString('latin1')
}

function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const copy = [...items]
  for (let index = copy.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    ;[copy[index], copy[other]] = [copy[other] as Item, copy[index] as Item]
  }
  return copy
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
