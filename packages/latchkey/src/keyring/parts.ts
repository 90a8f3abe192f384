import type { Catalogue } from '../policy/scopes.ts'
import type { Clock, KeySource, Store } from '../ports.ts'
import type { Cache } from './cache.ts'

/** What a keyring is made of, as its verbs take it. */
export interface KeyringParts<Scope extends string> {
  readonly store: Store
  readonly sources: readonly KeySource[]
  readonly cache: Cache<Scope>
  readonly clock: Clock
  readonly prefix: string
  /** The first is the one that keys are issued for and routes take unless told otherwise. */
  readonly environments: readonly [string, ...string[]]
  readonly scopes: Catalogue<Scope>
}
