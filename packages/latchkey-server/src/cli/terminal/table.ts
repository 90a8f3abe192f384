import { stripVTControlCharacters } from 'node:util'
import { printable, put, roomIn, styled } from './print.ts'
import { cut, padded, widthOf, wrapped } from './width.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** A shorter text for a terminal. */
  readonly short?: (row: Row) => string
  /** Whether it may be cut off if there is no room. An id is never cut off, because people copy it. */
  readonly flexible?: boolean
  /** Whether it goes to a second line if one line has no room for all columns. */
  readonly below?: boolean
}

/** A line of a page: a name and a value. Without a value there is no line. */
export type Fact = readonly [name: string, value: string | undefined]

/** The least width of a flexible column beside others: of one that is cut off, and of one that takes further lines. */
const narrowest = { cut: 12, wrapped: 40 }

/** Columns of the terminal between two cells, and before the second line of a row. */
const gap = 2

/** The id of a key, which people copy from a table. */
const id = /^key_\w+$/

/**
 * Prints rows as a table. In a terminal it fits the width: columns without room go to an indented line, flexible columns
 * are cut off, and the last column of a row takes as many lines as it needs. Elsewhere there are tabs between the cells
 * and every cell is complete, for `cut` and `sort`.
 */
export function putTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const table = startTable(columns)
  table.add(rows)
  table.end()
}

/** A table whose rows come by and by. */
export interface Table<Row> {
  readonly add: (rows: readonly Row[]) => void
  /** Prints what has waited, and the names of the columns if there was no row. */
  readonly end: () => void
}

/** Rows by which the columns of a terminal are measured. */
const mostMeasured = 1000

/**
 * Begins a table. Its rows are printed as they come, so that a million need no memory. In a terminal, the first thousand
 * are waited for: the columns are as wide as these need, and longer cells after them are cut off.
 */
export function startTable<Row>(columns: readonly Column<Row>[]): Table<Row> {
  const head = columns.map(({ title }) => title)
  const isTerminal = process.stdout.isTTY
  const cellsOf = (row: Row): readonly string[] =>
    columns.map(({ text, short = text }) => printable((isTerminal ? short : text)(row)))
  let waiting: (readonly string[])[] = []
  let print: ((cells: readonly string[]) => void) | undefined

  function begin(): (cells: readonly string[]) => void {
    if (!isTerminal) {
      put(head.join('\t'))
      return (cells) => put(cells.join('\t'))
    }
    const lines = linesFor(measured(columns, [head, ...waiting]), roomIn(process.stdout))
    for (const text of rendered(lines, head)) put(styled('bold', text))
    return (cells) => {
      for (const text of rendered(lines, cells)) put(text)
    }
  }

  function flush(): void {
    print ??= begin()
    for (const cells of waiting) print(cells)
    waiting = []
  }

  return {
    add(rows) {
      for (const row of rows) {
        waiting.push(cellsOf(row))
        if (!isTerminal || print !== undefined || waiting.length >= mostMeasured) flush()
      }
    },
    end: flush,
  }
}

/** Prints the facts on one thing, one per line. In a terminal, a long value continues below itself. */
export function putFacts(facts: readonly Fact[]): void {
  const shown = facts.filter(([, value]) => value !== undefined)
  const width = Math.max(...shown.map(([name]) => name.length)) + gap
  for (const [name, value = ''] of shown) putHanging(name.padEnd(width), printable(value))
}

/** Prints a text after its label. In a terminal it is broken into lines that fit, each below the one before. */
export function putHanging(label: string, text: string): void {
  if (!process.stdout.isTTY) return put(label + text)
  const indent = widthOf(stripVTControlCharacters(label))
  const [first = '', ...more] = wrapped(text, roomIn(process.stdout) - indent)
  put(label + first)
  for (const line of more) put(' '.repeat(indent) + line)
}

/** A column as its cells need it; widths are in columns of the terminal. */
interface Measured {
  readonly index: number
  readonly natural: number
  /** The least width that it needs in a line beside others. */
  readonly least: number
  readonly below: boolean
  /** Whether a cell may be cut off: of one that came after the columns were measured, a number would become another. */
  readonly flexible: boolean
  /** Whether a cell continues on further lines instead of being cut off. */
  readonly wraps: boolean
}

function measured<Row>(columns: readonly Column<Row>[], cells: readonly (readonly string[])[]): readonly Measured[] {
  return columns.map(({ flexible = false, below = false }, index) => {
    const wraps = flexible && index === columns.length - 1
    let natural = 0
    let unbroken = 0
    for (const row of cells) {
      const cell = row[index] ?? ''
      const width = widthOf(cell)
      natural = Math.max(natural, width)
      if (!flexible || id.test(cell)) unbroken = Math.max(unbroken, width)
    }
    return {
      index,
      natural,
      least: Math.max(unbroken, Math.min(natural, wraps ? narrowest.wrapped : narrowest.cut)),
      below,
      flexible,
      wraps,
    }
  })
}

/** A part of a line of a table: a column and how wide it is there. */
interface Place {
  readonly column: Measured
  readonly width: number
}

/** Distributes the columns over one line, or two, or as many as the room makes necessary. */
function linesFor(columns: readonly Measured[], room: number): readonly (readonly Place[])[] {
  const fits = (some: readonly Measured[], indent: number): boolean =>
    some.reduce((sum, { least }) => sum + least + gap, indent - gap) <= room
  if (fits(columns, 0)) return [placed(columns, room)]
  const lines: Measured[][] = []
  let line: Measured[] = []
  for (const column of columns.toSorted((one, other) => Number(one.below) - Number(other.below))) {
    const isSecond = column.below && lines.length === 0
    if (line.length > 0 && (isSecond || !fits([...line, column], lines.length === 0 ? 0 : gap))) {
      lines.push(line)
      line = []
    }
    line.push(column)
  }
  lines.push(line)
  return lines.map((some, index) => placed(some, index === 0 ? room : room - gap))
}

/** Makes the widest columns narrower until everything fits. */
function placed(columns: readonly Measured[], room: number): readonly Place[] {
  const widths = columns.map(({ natural }) => natural)
  let over = widths.reduce((sum, width) => sum + width + gap, -gap) - room
  while (over > 0) {
    let widest = -1
    for (const [index, { least }] of columns.entries()) {
      const width = widths[index] ?? 0
      if (width > least && width > (widths[widest] ?? 0)) widest = index
    }
    if (widest === -1) break
    widths[widest] = (widths[widest] ?? 0) - 1
    over--
  }
  return columns.map((column, index) => ({ column, width: widths[index] ?? 0 }))
}

function rendered(lines: readonly (readonly Place[])[], row: readonly string[]): readonly string[] {
  return lines.flatMap((line, index) => {
    let text = index === 0 ? '' : ' '.repeat(gap)
    const more: string[] = []
    for (const [at, { column, width }] of line.entries()) {
      const cell = row[column.index] ?? ''
      if (at > 0) text += ' '.repeat(gap)
      if (column.wraps) {
        const indent = ' '.repeat(widthOf(text))
        const [first = '', ...rest] = wrapped(cell, width)
        text += first
        more.push(...rest.map((one) => indent + one))
      } else {
        text += padded(!column.flexible || id.test(cell) ? cell : cut(cell, width), width)
      }
    }
    return [text.trimEnd(), ...more]
  })
}
