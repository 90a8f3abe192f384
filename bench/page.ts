// The page docs/reference/performance.md: a section for each benchmark, which a run replaces.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { dirname, join } from 'node:path'
import { benchmarks } from './benchmarks.ts'
import type { Figure } from './benchmarks/figure.ts'
import { cellsOf, heads } from './benchmarks/figure.ts'

const page = join(dirname(import.meta.dirname), 'docs/reference/performance.md')

const opening = `# Performance

\`npm run bench -- --write\` measures everything and writes this page, \`npm run bench -- guard --write\` a section of it.
All sides of a figure are measured in every round, in random order. A value is the median of the rounds. Half of the
rounds are between the quartiles: that is the noise. A value without a unit is a ratio of what was measured in the same
round. A figure that misses its goal is printed as MISSED. A load average above the number of processors means that
other programs ran as well.
`

/** The machine, as a reader of figures needs it: processors, kernel, Node, and what else ran. */
export function machine(): string {
  const { length: cores, 0: processor } = cpus()
  const system = `${process.platform} ${release()}`
  return `Node ${process.version}, ${system}, ${cores} × ${processor?.model}, load average ${loadavg()[0]?.toFixed(1)}`
}

/** A section of the page: the date, the machine when the measuring began, the method and the figures. */
export function sectionOf(
  name: string,
  { on, method, figures }: { readonly on: string; readonly method: string; readonly figures: readonly Figure[] },
): string {
  const rows = [heads, heads.map(() => '---'), ...figures.map(cellsOf)].map((cells) => {
    return `| ${cells.map((cell) => cell.trim().replaceAll('|', '\\|')).join(' | ')} |`
  })
  return `## ${name}\n\n${on}\n\n${method}\n\n${rows.join('\n')}\n`
}

/** Writes the section of a benchmark into the page. The others stay, unless their benchmark is gone. */
export function writeSection(name: string, section: string): void {
  const before = existsSync(page) ? readFileSync(page, 'utf8') : ''
  const sections = new Map(
    before
      .split(/^(?=## )/m)
      .slice(1)
      .map((kept) => [/^## (.*)/.exec(kept)?.[1], kept]),
  ).set(name, section)
  const ordered = Object.keys(benchmarks).flatMap((benchmark) => sections.get(benchmark) ?? [])
  writeFileSync(page, `${[opening, ...ordered].map((part) => part.trimEnd()).join('\n\n')}\n`)
  const { status } = spawnSync('oxfmt', [page], { stdio: 'inherit' })
  if (status !== 0) throw new Error('The page is written, but it could not be formatted.')
}
