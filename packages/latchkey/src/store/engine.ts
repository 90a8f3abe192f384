import type { MetadataMember } from '../ports.ts'
import type { Bind } from './list-order.ts'

/** What reads need that engines have no common words for. */
export interface Engine {
  /** Places of all keys that have a text of three characters or more, and perhaps of others; `undefined` without an index. */
  readonly textPlaces: (text: string, bind: Bind) => string | undefined
  /** A condition on keys `k`: this member of their metadata has this value, or for `null` is not there. */
  readonly memberIs: (name: string, value: MetadataMember[1], bind: Bind) => string
  /** How a column with text of the journal is read, so that it is read whole. */
  readonly wholeText: (column: string) => string
}
