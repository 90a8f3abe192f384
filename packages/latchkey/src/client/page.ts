import { LatchkeyError } from '../error.ts'
import type { Json } from './body.ts'

/** The form of every cursor. In any other text there could be something that a terminal obeys. */
const cursorForm = /^[\w-]{1,4096}$/

/**
 * An answer with a page of a list, if it is one: whoever walks through the pages must come to an end.
 *
 * @param name - the member that has the items.
 * @param asked - the options of the call, with the cursor of the page before.
 * @throws LatchkeyError `unexpected_answer`.
 */
export function pageOf(answer: Json, name: string, asked: object): Json {
  itemsOf(answer, name)
  const { cursor } = answer
  if (cursor !== null && (typeof cursor !== 'string' || !cursorForm.test(cursor))) throw noPage()
  if (cursor !== null && 'cursor' in asked && asked.cursor === cursor) {
    throw new LatchkeyError('unexpected_answer', 'The page that the server answers leads to itself.')
  }
  return answer
}

/**
 * The objects in a list of an answer.
 *
 * @throws LatchkeyError `unexpected_answer`.
 */
export function itemsOf(answer: Json, name: string): readonly Json[] {
  const items = answer[name]
  if (!Array.isArray(items) || !items.every(isJson)) throw noPage()
  return items
}

function isJson(item: unknown): item is Json {
  return typeof item === 'object' && item !== null && !Array.isArray(item)
}

function noPage(): LatchkeyError {
  return new LatchkeyError('unexpected_answer', 'The answer is no page of a list.')
}
