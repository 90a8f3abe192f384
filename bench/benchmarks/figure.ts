import type { Spread } from './measure.ts'

/** One ratio that a benchmark found. */
export interface Figure {
  readonly name: string
  readonly ratio: Spread
  /** The goal of the median; left out if there is none. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number }
  /** The two sides of the ratio in their own units. */
  readonly sides: string
}

/** One part of `npm run bench`. */
export interface Benchmark {
  /** How it measures, in one paragraph. */
  readonly method: string
  /** Measures; `progress` takes a line on what is going on. */
  readonly run: (progress: (line: string) => void) => Promise<readonly Figure[]>
}

/** The figures as a table: name, ratio, goal, whether it was met, the quartiles, the two sides. */
export function tableOf(figures: readonly Figure[]): string {
  const heads = ['', 'ratio', 'goal', '', 'quartiles', 'medians of both sides']
  const rows = figures.map((figure) => [
    figure.name,
    figure.ratio.median.toFixed(3),
    goalOf(figure),
    outcomeOf(figure),
    `${figure.ratio.lower.toFixed(3)} to ${figure.ratio.upper.toFixed(3)}`,
    figure.sides,
  ])
  const lines = [heads, ...rows]
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  return lines
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}

function goalOf({ goal }: Figure): string {
  if (goal === undefined) return ''
  return 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`
}

function outcomeOf({ goal, ratio }: Figure): string {
  if (goal === undefined) return ''
  const met = 'atMost' in goal ? ratio.median <= goal.atMost : ratio.median >= goal.atLeast
  return met ? 'met' : 'MISSED'
}
