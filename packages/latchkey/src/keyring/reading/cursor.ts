import { createCipheriv, createDecipheriv, createHmac, hash, timingSafeEqual } from 'node:crypto'
import { bounds, invalid } from '../../input.ts'

/** The values by which the rows of a list are ordered, the last one different in every row. */
type Position = readonly (string | number | null)[]

/** How the values of a position are checked, one by one. */
export type PositionShape = readonly ('integer' | 'integer or null' | 'text')[]

/** The cursors of one database. */
export interface Cursors {
  /**
   * The cursor of a page: where its last row stands. It says nothing but that, so that the next page can be asked for with
   * another limit, and stays good for ever.
   *
   * @param order - the name of the order, which the next page must have too; with that of the list where others have orders
   *   of the same name.
   */
  readonly cursorOf: (order: string, position: Position) => string
  /**
   * The position in a cursor that `cursorOf` made; `undefined` for the first page.
   *
   * @throws LatchkeyError `invalid_input` for a text that is no cursor, or the cursor of another order or list.
   */
  readonly positionOf: (cursor: unknown, order: string, shape: PositionShape) => Position | undefined
}

/** Bytes of the tag of a cursor, from which its cipher begins. */
const tagLength = 16

/** The length to which positions are filled up, so that it does not tell how large their numbers are. */
const block = 64

/**
 * Cursors that tell their reader nothing: a place among the keys of all would tell how many of others lie between two. A
 * position is encrypted, and begins with its authentication code, which is the start of the cipher (as in RFC 5297): so
 * equal positions have equal cursors, and none can be made up.
 */
export function cursorsOf({ cursorKey }: { readonly cursorKey: string }): Cursors {
  const tagging = hash('sha256', `tag ${cursorKey}`, 'buffer')
  const encrypting = hash('sha256', `encrypt ${cursorKey}`, 'buffer')

  const tagOf = (text: Buffer): Buffer => createHmac('sha256', tagging).update(text).digest().subarray(0, tagLength)

  function read(cursor: unknown): readonly unknown[] | undefined {
    if (typeof cursor !== 'string' || cursor.length > bounds.cursor || !/^[\w-]+$/.test(cursor)) return undefined
    const bytes = Buffer.from(cursor, 'base64url')
    const tag = bytes.subarray(0, tagLength)
    if (tag.length < tagLength) return undefined
    const text = createDecipheriv('aes-256-ctr', encrypting, tag).update(bytes.subarray(tagLength))
    if (!timingSafeEqual(tagOf(text), tag)) return undefined
    return JSON.parse(text.toString()) as readonly unknown[]
  }

  return {
    cursorOf(order, position) {
      const json = Buffer.from(JSON.stringify([order, ...position]))
      const text = Buffer.alloc(Math.ceil(json.length / block) * block, ' ')
      json.copy(text)
      const tag = tagOf(text)
      return Buffer.concat([tag, createCipheriv('aes-256-ctr', encrypting, tag).update(text)]).toString('base64url')
    },
    positionOf(cursor, order, shape) {
      if (cursor === undefined) return undefined
      const found = read(cursor)
      if (found?.length !== shape.length + 1 || found[0] !== order) {
        throw invalid('cursor', 'the cursor of the page before, of the same list in the same order')
      }
      const position = found.slice(1)
      if (!shape.every((kind, index) => fits(kind, position[index]))) throw invalid('cursor', 'the cursor of a page')
      return position as Position
    },
  }
}

function fits(kind: PositionShape[number], value: unknown): boolean {
  if (kind === 'text') return typeof value === 'string' && !/\p{Cc}|\p{Cs}/u.test(value)
  return Number.isSafeInteger(value) || (kind === 'integer or null' && value === null)
}
