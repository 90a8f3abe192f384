import { putJson } from './json.ts'
import { say, styled } from './terminal/print.ts'
import type { Column } from './terminal/table.ts'
import { putTable } from './terminal/table.ts'

/** How the rows of a list are printed. */
export interface ListingOptions<Row> {
  readonly json: boolean | undefined
  readonly columns: readonly Column<Row>[]
  /** What is said where there is no row: a sentence. */
  readonly empty: string
}

/** A list that is read page by page. */
export interface Listing<Row> {
  readonly add: (rows: readonly Row[]) => void
  /** @param more - how to see those that were left out, if some were. */
  readonly end: (more?: string) => void
}

/**
 * Begins a list. In JSON each row goes out when it comes, so that a million need no memory; a table waits for the last
 * one, to know which is the widest.
 */
export function startListing<Row extends object>({ json, columns, empty }: ListingOptions<Row>): Listing<Row> {
  const waiting: Row[] = []
  return {
    add(rows) {
      if (json === true) for (const row of rows) putJson(row)
      else waiting.push(...rows)
    },
    end(more) {
      if (json !== true) {
        // Programs find the names of the columns also where there is no row.
        if (waiting.length > 0 || !process.stdout.isTTY) putTable(columns, waiting)
        if (waiting.length === 0) say(empty)
      }
      if (more !== undefined) say(styled('dim', more, process.stderr))
    },
  }
}
