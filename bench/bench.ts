import { styleText } from 'node:util'
import { benchmarks } from './benchmarks.ts'
import type { Benchmark, Figure } from './benchmarks/figure.ts'
import { measured, tableOf } from './benchmarks/figure.ts'
import { machine, sectionOf, writeSection } from './page.ts'

// `npm run bench` measures everything, `npm run bench -- verify scale` some of it. With `--write`, the figures go into
// docs/reference/performance.md. It informs: the exit code is 0 when a goal is missed.

const given = process.argv.slice(2)
const named = given.filter((name) => name !== '--write')
const chosen = named.length > 0 ? named : Object.keys(benchmarks)
const unknown = chosen.filter((name) => !Object.hasOwn(benchmarks, name))
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}.`)
  process.exit(1)
}

// Exit in order, so that nothing is left behind: a million keys are a gigabyte.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

const all: Figure[] = []
for (const name of chosen) {
  const benchmark = benchmarks[name] as Benchmark
  const { method } = benchmark
  const on = `Measured on ${new Date().toISOString().slice(0, 10)}: ${machine()}.`
  console.log(`${styleText('bold', name)}: ${method}\n${on}`)
  const figures = await measured(benchmark, (line) => console.log(styleText('dim', `  ${line}`)))
  // Each on its own: a benchmark that fails does not take the others with it.
  if (given.includes('--write')) writeSection(name, sectionOf(name, { on, method, figures }))
  all.push(...figures)
  console.log()
}
console.log(
  'All sides of a figure are measured in every round, in random order; the value is the median of the rounds.\n',
)
console.log(tableOf(all))
