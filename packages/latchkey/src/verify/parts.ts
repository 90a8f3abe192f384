import { adminEnvironment, adminScopes } from '../policy/admin.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Clock, KeySource, Limiter, Store } from '../ports.ts'
import type { Cache } from './cache.ts'
import type { Refusals } from './refusals.ts'
import type { Usage } from './usage.ts'

/** The parts of a keyring, as its verbs take them. */
export interface KeyringParts<Scope extends string> {
  readonly store: Store
  readonly limiter: Limiter
  readonly sources: readonly KeySource[]
  readonly cache: Cache<Scope>
  readonly usage: Usage
  readonly refusals: Refusals
  readonly clock: Clock
  /** What cursors are encrypted with, as the store has it. */
  readonly cursorKey: string
  readonly prefix: string
  /** All but the reserved one. The first is the default for new keys and for routes. */
  readonly environments: readonly [string, ...string[]]
  readonly scopes: Catalogue<Scope>
  /** The id of the admin key on whose behalf the verbs act; without one, they may do everything. */
  readonly authority?: string
  /** The hash of the secret with which the admin key was verified, if it is known. */
  readonly secret?: string | undefined
}

/** The scopes that keys of an environment may have: Latchkey's own for admin keys, the application's for all others. */
export function catalogueOf({ scopes }: { readonly scopes: Catalogue }, environment: string): Catalogue {
  return environment === adminEnvironment ? adminScopes : scopes
}
