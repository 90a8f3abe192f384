import type { Form } from '../key/parse.ts'
import type { ScopeDemand } from '../policy/scopes.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Awaitable } from '../ports.ts'
import type { Refusal } from '../refusal.ts'

/** What a route asks of a key. */
export interface Demand extends ScopeDemand {
  readonly environment: string
}

/**
 * A credential as it was presented. A verifier notes on it what it computed from `text` alone, never a verdict; who
 * keeps the object, as a guard does for a connection, spares the next call that work.
 */
export interface Credential {
  readonly text: string
  form: Form | undefined
  hash: string | undefined
}

/** The key that a request was accepted with. Frozen, and shared by all requests with this key. */
export interface VerifiedKey<Scope extends string = string> {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly environment: string
  /** Expanded: a key with `orders:*` holds every declared scope on orders. */
  readonly scopes: readonly Scope[]
  readonly metadata: Readonly<Record<string, string>>
  /** The first millisecond in which the key is no longer valid; `null` if that never comes. */
  readonly expiresAt: number | null
}

/** A credential was accepted. */
export interface Accepted<Scope extends string = string> {
  readonly ok: true
  readonly key: VerifiedKey<Scope>
}

/** A credential was refused. */
export interface Refused {
  readonly ok: false
  readonly refusal: Refusal
  /** The id of the key, where the credential belongs to one. */
  readonly keyId?: string | undefined
  /** The error of the store, where that is the reason. */
  readonly cause?: unknown
}

/** The answer of verify. */
export type Verdict<Scope extends string = string> = Accepted<Scope> | Refused

/** What a guard needs: a keyring, or anything else that answers for one. */
export interface Verifier<Scope extends string = string> {
  readonly scopes: Catalogue<Scope>
  /** The first is the one that a route takes unless told otherwise. */
  readonly environments: readonly string[]
  /**
   * Judges a credential. Answers at once, not with a promise, when nothing needs to be waited for. Never throws: when
   * the store fails the verdict is the refusal `unavailable`.
   *
   * @param credential - what the caller sent; `undefined` when nothing was sent.
   * @param demand - any key of the first environment if left out.
   */
  verify(credential: Credential | string | undefined, demand?: Partial<Demand>): Awaitable<Verdict<Scope>>
}
