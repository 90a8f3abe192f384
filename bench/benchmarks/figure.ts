import type { Spread } from './measure.ts'

/** A line of a benchmark, known before it is measured: a ratio, or an amount in a unit. */
export interface Line {
  readonly name: string
  /** The unit of the value and of its goal; left out for a ratio. */
  readonly unit?: string
  /** The goal of the median; left out if there is none. */
  readonly goal?: { readonly atMost: number } | { readonly atLeast: number }
}

/** A line that was measured. */
export interface Figure extends Line {
  /** The median of the rounds, and the quartiles: the noise. `undefined` if it could not be measured; `sides` says why. */
  readonly value: Spread | undefined
  /** What was compared, in its own units. */
  readonly sides: string
}

/** One part of `npm run bench`. */
export interface Benchmark {
  /** How it measures, in one paragraph. */
  readonly method: string
  /** Its lines, in the order of its figures. */
  readonly lines: readonly Line[]
  /** Measures all lines; `progress` takes a line on what is going on. */
  readonly run: (progress: (line: string) => void) => Promise<readonly Figure[]>
}

/**
 * Measures a benchmark.
 *
 * @throws Error when its figures are not its lines: what is shown of it would not be what it has.
 */
export async function measured(
  { lines, run }: Benchmark,
  progress: (line: string) => void,
): Promise<readonly Figure[]> {
  const figures = await run(progress)
  const [is, said] = [figures, lines].map((some) => some.map(({ name }) => name).join(' · '))
  if (is !== said) throw new Error(`A benchmark has measured ${is}; its lines are ${said}.`)
  return figures
}

/** The heads of a table of figures. */
export const heads = ['', 'value', 'goal', '', 'quartiles', 'medians of what was compared'] as const

/** A figure as the cells of a row: name, value, goal, whether it was met, the quartiles, what was compared. */
export function cellsOf(figure: Figure): readonly string[] {
  const { name, value, sides } = figure
  const quartiles = value === undefined ? '' : `${amount(value.lower, figure)} to ${amount(value.upper, figure)}`
  return [
    name,
    value === undefined ? 'not measured' : `${amount(value.median, figure)} ${figure.unit ?? ''}`.trimEnd(),
    goalOf(figure),
    outcomeOf(figure),
    quartiles,
    sides,
  ]
}

/** The figures as a table of plain text. */
export function tableOf(figures: readonly Figure[]): string {
  const lines = [heads, ...figures.map(cellsOf)]
  const widths = heads.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  return lines
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Ratios and small amounts to the hundredth or thousandth, large amounts without. */
function amount(number: number, { unit }: Line): string {
  if (Math.abs(number) >= 1000) return Math.round(number).toLocaleString('en')
  return number.toFixed(unit === undefined ? 3 : 2)
}

/** The goal of a line, to be read; empty if it has none. */
export function goalOf({ goal, unit = '' }: Line): string {
  if (goal === undefined) return ''
  return ('atMost' in goal ? `≤ ${goal.atMost} ${unit}` : `≥ ${goal.atLeast} ${unit}`).trimEnd()
}

function outcomeOf({ goal, value }: Figure): string {
  if (goal === undefined || value === undefined) return ''
  const met = 'atMost' in goal ? value.median <= goal.atMost : value.median >= goal.atLeast
  return met ? 'met' : 'MISSED'
}
