import type { Engine } from '../engine.ts'
import { textPlaces } from './text-index.ts'

/** What SQLite has of its own. */
export const engine: Engine = {
  textPlaces,
  // `->` answers the JSON of a member as it is written, and numbers and texts are all written by `JSON.stringify`: 5 is
  // not "5", and no number is rounded.
  memberIs(name, value, bind) {
    const member = `k.metadata -> ${bind(`$."${name}"`)}`
    return value === null ? `COALESCE(${member}, 'null') = 'null'` : `${member} = ${bind(JSON.stringify(value))}`
  },
  // Some versions of `node:sqlite` end a text at its first NUL, so text after it in the journal would not be seen.
  // Latchkey writes no NUL; a text that has one is read as bytes.
  wholeText(column) {
    return `CASE WHEN instr(${column}, char(0)) > 0 THEN CAST(${column} AS BLOB) ELSE ${column} END AS ${column}`
  },
}
