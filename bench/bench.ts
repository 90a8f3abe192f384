import { cpus } from 'node:os'
import { styleText } from 'node:util'
import { benchmarks } from './benchmarks.ts'
import type { Benchmark, Figure } from './benchmarks/figure.ts'
import { measured, tableOf } from './benchmarks/figure.ts'

// `npm run bench` measures everything, `npm run bench -- verify scale` some of it. It informs: the exit code is 0 when
// a goal is missed.

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benchmarks)
const unknown = chosen.filter((name) => !Object.hasOwn(benchmarks, name))
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}.`)
  process.exit(1)
}

// Exit in order, so that nothing is left behind: a million keys are a gigabyte.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const { length: cores, 0: processor } = cpus()
console.log(`Node ${process.version} on ${process.platform}, ${cores} × ${processor?.model}\n`)

const figures: Figure[] = []
for (const name of chosen) {
  const benchmark = benchmarks[name] as Benchmark
  console.log(`${styleText('bold', name)}: ${benchmark.method}`)
  figures.push(...(await measured(benchmark, (line) => console.log(styleText('dim', `  ${line}`)))))
  console.log()
}
console.log(
  'All sides of a figure are measured in every round, in random order; the value is the median of the rounds.\n',
)
console.log(tableOf(figures))
