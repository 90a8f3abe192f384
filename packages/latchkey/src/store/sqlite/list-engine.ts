import type { ListEngine } from '../list-conditions.ts'
import { textPlaces } from './text-index.ts'

/** What SQLite has of its own for lists. */
export const listEngine: ListEngine = {
  textPlaces,
  // `->` answers the JSON of a member as it is written, and numbers and texts are all written by `JSON.stringify`: 5 is
  // not "5", and no number is rounded.
  memberIs(name, value, bind) {
    const member = `k.metadata -> ${bind(`$."${name}"`)}`
    return value === null ? `COALESCE(${member}, 'null') = 'null'` : `${member} = ${bind(JSON.stringify(value))}`
  },
}
