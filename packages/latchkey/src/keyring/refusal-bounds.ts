import { integer, membersOf, objectOf } from '../input.ts'
import type { RefusalBounds } from '../ports.ts'

/** How many refusals the store keeps; 0 keeps none. The newest stay. */
export interface KeptRefusals {
  /** Of all known keys together, up to 1,000,000; 100,000 if left out. */
  readonly known?: number
  /** Of each known key, up to 10,000; 1,000 if left out. */
  readonly perKey?: number
  /** Of credentials that belong to no key, up to 100,000; 10,000 if left out. */
  readonly strangers?: number
}

/** @throws LatchkeyError `invalid_input`. */
export function refusalBoundsOf(kept: KeptRefusals = {}): RefusalBounds {
  objectOf('refusals', kept, membersOf<KeptRefusals>({ known: true, perKey: true, strangers: true }))
  const { known = 100_000, perKey = 1000, strangers = 10_000 } = kept
  return {
    known: integer('refusals.known', known, { least: 0, most: 1_000_000 }),
    perKey: integer('refusals.perKey', perKey, { least: 0, most: 10_000 }),
    strangers: integer('refusals.strangers', strangers, { least: 0, most: 100_000 }),
  }
}
