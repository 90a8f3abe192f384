import { putJson } from './json.ts'
import { printable, say, styled } from './terminal/print.ts'
import type { Column } from './terminal/table.ts'
import { putHanging, startTable } from './terminal/table.ts'

/** How the rows of a list are printed. */
export interface ListingOptions<Row> {
  readonly json: boolean | undefined
  readonly columns: readonly Column<Row>[]
  /** A row as a sentence after its label, if people get that in place of a table. */
  readonly line?: (row: Row) => readonly [label: string, text: string]
  /** The sentence that is printed if there is no row. */
  readonly empty: string
}

/** A list that is filled page by page. */
export interface Listing<Row> {
  readonly add: (rows: readonly Row[]) => void
  /** @param more - how to see the rows that were left out, if there are any. */
  readonly end: (more?: string) => void
}

/**
 * Begins a list. Its rows are printed as they come, so that a million need no memory; in a terminal, a table waits for the
 * first thousand.
 */
export function startListing<Row extends object>({ json, columns, line, empty }: ListingOptions<Row>): Listing<Row> {
  const table = startTable(columns)
  const sentences = process.stdout.isTTY ? line : undefined
  let shown = 0
  return {
    add(rows) {
      shown += rows.length
      if (json === true) for (const row of rows) putJson(row)
      else if (sentences === undefined) table.add(rows)
      else for (const [label, text] of rows.map(sentences)) putHanging(label, printable(text))
    },
    end(more) {
      if (json !== true) {
        // Programs get the names of the columns even if there is no row.
        if ((shown > 0 && sentences === undefined) || !process.stdout.isTTY) table.end()
        if (shown === 0) say(empty)
      }
      if (more !== undefined) say(styled('dim', more, process.stderr))
    },
  }
}

/** The flags of a list that is read page by page. */
export interface PageOptions {
  readonly json?: boolean
  readonly cursor?: string
  readonly limit: number
  readonly all?: boolean
}

/** The list of a keyring, and how its rows are printed. */
export interface PagesOptions<Row> extends Omit<ListingOptions<Row>, 'json'> {
  /** What the rows are, in the plural, for the sentence on those that were left out; nothing is said without. */
  readonly rows: string | undefined
  /** Rows of a page; 1000 if left out. */
  readonly page?: number
  readonly read: (page: { readonly limit: number; readonly cursor?: string }) => Promise<Page<Row>>
}

/** Rows, and what leads to those that follow. */
type Page<Row> = readonly [rows: readonly Row[], cursor: string | null]

/** Prints as many rows of a list as the flags ask for, page by page, and says how to see those that follow. */
export async function putPages<Row extends object>(
  { json, cursor: first, limit, all = false }: PageOptions,
  { rows, page = 1000, read, ...shown }: PagesOptions<Row>,
): Promise<void> {
  const listing = startListing({ json, ...shown })
  let cursor = first ?? null
  let left = all ? Number.POSITIVE_INFINITY : limit
  do {
    const [found, next] = await read({ limit: Math.min(page, left), ...(cursor === null ? {} : { cursor }) })
    listing.add(found)
    left -= found.length
    cursor = next
  } while (cursor !== null && left > 0)
  const isCut = cursor !== null && rows !== undefined
  listing.end(isCut ? `There are more ${rows}: add --cursor ${cursor}, or --all.` : undefined)
}
