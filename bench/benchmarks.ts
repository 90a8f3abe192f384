import { batch } from './benchmarks/batch.ts'
import { change } from './benchmarks/change.ts'
import { endpoint } from './benchmarks/endpoint.ts'
import type { Benchmark } from './benchmarks/figure.ts'
import { flush } from './benchmarks/flush.ts'
import { guard } from './benchmarks/guard.ts'
import { guards } from './benchmarks/guards.ts'
import { limiter } from './benchmarks/limiter.ts'
import { memory } from './benchmarks/memory.ts'
import { problems } from './benchmarks/problems.ts'
import { peers } from './benchmarks/peers.ts'
import { rate } from './benchmarks/rate.ts'
import { reading } from './benchmarks/reading.ts'
import { scale } from './benchmarks/scale.ts'
import { stall } from './benchmarks/stall.ts'
import { start } from './benchmarks/start.ts'
import { verify } from './benchmarks/verify.ts'

/** All benchmarks, in the order in which they run and are shown. A new one is a file and a line here. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  guard,
  guards,
  problems,
  peers,
  endpoint,
  batch,
  verify,
  rate,
  scale,
  change,
  limiter,
  memory,
  flush,
  stall,
  reading,
  start,
}
