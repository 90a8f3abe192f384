import { bounds, invalid } from '../../input.ts'

/** The values by which the rows of a list are ordered, the last one different in every row. */
export type Position = readonly (string | number | null)[]

/** How the values of a position are checked, one by one. */
export type PositionShape = readonly ('integer' | 'integer or null' | 'text')[]

/**
 * The cursor of a page: where its last row stands. It says nothing but that, so that the next page can be asked for with
 * another limit, and stays good for ever.
 *
 * @param order - the name of the order, which the next page must have too; with that of the list where others have orders of
 *   the same name.
 */
export function cursorOf(order: string, position: Position): string {
  return Buffer.from(JSON.stringify([order, ...position])).toString('base64url')
}

/**
 * The position in a cursor that `cursorOf` made; `undefined` for the first page.
 *
 * @throws LatchkeyError `invalid_input` for a text that is no cursor, or the cursor of another order or list.
 */
export function positionOf(cursor: unknown, order: string, shape: PositionShape): Position | undefined {
  if (cursor === undefined) return undefined
  const found = readCursor(cursor)
  if (found?.length !== shape.length + 1 || found[0] !== order) {
    throw invalid('cursor', 'the cursor of the page before, of the same list in the same order')
  }
  const position = found.slice(1)
  if (!shape.every((kind, index) => fits(kind, position[index]))) throw invalid('cursor', 'the cursor of a page')
  return position as Position
}

function readCursor(cursor: unknown): readonly unknown[] | undefined {
  if (typeof cursor !== 'string' || cursor.length > bounds.cursor || !/^[\w-]+$/.test(cursor)) return undefined
  try {
    const found: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(found) ? found : undefined
  } catch {
    return undefined
  }
}

function fits(kind: PositionShape[number], value: unknown): boolean {
  if (kind === 'text') return typeof value === 'string' && !/\p{Cc}|\p{Cs}/u.test(value)
  return Number.isSafeInteger(value) || (kind === 'integer or null' && value === null)
}
