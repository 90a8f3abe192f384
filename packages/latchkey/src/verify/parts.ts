import { adminEnvironment, adminScopes } from '../policy/admin.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Clock, KeySource, Limiter, Store } from '../ports.ts'
import type { Cache } from './cache.ts'
import type { Usage } from './usage.ts'

/** What a keyring is made of, as its verbs take it. */
export interface KeyringParts<Scope extends string> {
  readonly store: Store
  readonly limiter: Limiter
  readonly sources: readonly KeySource[]
  readonly cache: Cache<Scope>
  readonly usage: Usage
  readonly clock: Clock
  readonly prefix: string
  /** The first is the one that keys are issued for and routes take unless told otherwise. Without the reserved one. */
  readonly environments: readonly [string, ...string[]]
  readonly scopes: Catalogue<Scope>
  /** The id of the admin key on whose behalf the verbs act; whoever holds the keyring itself may do everything. */
  readonly authority?: string
  /** The hash of the secret that it was verified with, where that is known. */
  readonly secret?: string | undefined
}

/** The scopes that keys of an environment may have: Latchkey's own for admin keys, the application's for all others. */
export function catalogueOf({ scopes }: { readonly scopes: Catalogue }, environment: string): Catalogue {
  return environment === adminEnvironment ? adminScopes : scopes
}
