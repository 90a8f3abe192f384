import { plain, put } from './print.ts'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Whether it may be cut off where the terminal is narrow. Ids never are: people copy them. */
  readonly flexible?: boolean
}

/** No flexible column gets narrower than this many characters. */
const narrowest = 8

/**
 * Rows for people: a table in a terminal; elsewhere the same columns with tabs between them, so that `cut` and `sort`
 * have something to hold on to.
 */
export async function putTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<void> {
  const cells = rows.map((row) => columns.map(({ text }) => plain(text(row))))
  const head = columns.map(({ title }) => title)
  if (!process.stdout.isTTY) {
    for (const line of [head, ...cells]) put(line.join('\t'))
    return
  }
  const { default: Table } = await import('cli-table3')
  const { stripVTControlCharacters } = await import('node:util')
  const natural = head.map((title, index) =>
    Math.max(...[title, ...cells.map((line) => line[index] ?? '')].map((text) => widthOf(text))),
  )
  const widths = fitted(natural, columns, process.stdout.columns || Number.POSITIVE_INFINITY)
  const table = new Table({
    head,
    // The padding counts too.
    colWidths: widths.map((width) => width + 2),
    style: { head: [], border: [], compact: true },
  })
  table.push(...cells)
  put(process.env['NO_COLOR'] === undefined ? table.toString() : stripVTControlCharacters(table.toString()))
}

/** Columns of a terminal that a text takes, near enough for a table: wide scripts and pictures take two. */
function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += (character.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1
  return width
}

/** Takes from the widest flexible column until everything fits beside the borders. */
function fitted(
  natural: readonly number[],
  columns: readonly { readonly flexible?: boolean }[],
  room: number,
): number[] {
  const widths = [...natural]
  const taken = (): number => widths.reduce((sum, width) => sum + width + 3, 1)
  while (taken() > room) {
    let widest = -1
    for (const [index, { flexible }] of columns.entries()) {
      const width = widths[index] ?? 0
      if (flexible === true && width > narrowest && width > (widths[widest] ?? 0)) widest = index
    }
    if (widest === -1) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** One thing, line by line: what it is called, and what it is. */
export function putFacts(facts: readonly (readonly [name: string, value: string | undefined])[]): void {
  const shown = facts.filter(([, value]) => value !== undefined)
  const width = Math.max(...shown.map(([name]) => name.length))
  for (const [name, value = ''] of shown) put(`${name.padEnd(width)}  ${plain(value)}`)
}
