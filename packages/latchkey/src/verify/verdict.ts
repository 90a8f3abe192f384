import type { Delegation } from '../policy/delegation.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Awaitable } from '../ports.ts'
import type { Refusal } from '../refusal.ts'
import type { Credential } from './credential.ts'

export type { Credential } from './credential.ts'

/**
 * What is asked of a key. A member that is there has a value; whoever takes any key of the first environment asks for
 * nothing.
 */
export interface Requirement<Scope extends string = string> {
  /** It has all of these. */
  readonly allOf?: readonly Scope[]
  /** It has at least one of these. */
  readonly anyOf?: readonly Scope[]
  /** The environment whose keys are taken; the first one if left out. */
  readonly environment?: string
  /** What a call takes from limits and quota: a whole number from 0; 1 if left out. */
  readonly cost?: number
}

/** What is known of a call besides its credential. Never a framework's request, on which others put what they like. */
export interface CallContext {
  /** The caller's address. Without it, a key that names addresses is refused. */
  readonly ip?: string | undefined
  /** Says what would be, and spends nothing. */
  readonly dryRun?: boolean | undefined
  /** Which keys may be told of, where not all may; the others are unknown. */
  readonly seenBy?: ((key: { readonly owner: string; readonly environment: string }) => boolean) | undefined
}

/**
 * The key that a request was accepted with. Frozen at every depth, since it is shared by all requests with this key until
 * something of it changes.
 */
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
  /** What an admin key may give. */
  readonly delegation: Delegation | null
}

/** How a window of a key, or its quota, stands after a call. */
export interface LimitState {
  /** As declared; those of the owner begin with `owner:`, and the quota is `quota`. */
  readonly name: string
  readonly limit: number
  /** Seconds; `null` for the quota, whose period is of the calendar or without end. */
  readonly window: number | null
  readonly remaining: number
  /** Seconds until there is more, rounded up; `null` if that never comes. */
  readonly reset: number | null
  /** It had no room. Where the call was accepted, it is one that only reports. */
  readonly exceeded: boolean
  /** It refuses nobody, and callers are not told of it. */
  readonly reportOnly: boolean
}

/** The secret that was sent is an old one. */
export interface Retiring {
  /** When a newer one came to stand in for it, in milliseconds since 1970. */
  readonly since: number
  /** The first millisecond in which it no longer works. */
  readonly until: number
}

/** A credential was accepted. */
export interface Accepted<Scope extends string = string> {
  readonly ok: true
  readonly key: VerifiedKey<Scope>
  /** How its limits and quota stand, where it has any. */
  readonly limits?: readonly LimitState[] | undefined
  readonly retiring?: Retiring | undefined
}

/** A credential was refused. */
export interface Refused {
  readonly ok: false
  readonly refusal: Refusal
  /** The id, owner and environment of the key, where the credential belongs to one. */
  readonly keyId?: string | undefined
  readonly owner?: string | undefined
  readonly environment?: string | undefined
  /** How its limits and quota stand, where one of them is the reason. */
  readonly limits?: readonly LimitState[] | undefined
  /** Seconds after which the call can be accepted, if that ever comes. */
  readonly retryAfter?: number | undefined
  /** Set where the secret is an old one of the key. */
  readonly retiring?: Retiring | undefined
  /** Why nobody can tell: the error of the store or the limiter, or what is wrong with the requirement. Of another refusal, what failed besides. */
  readonly cause?: unknown
}

/** The answer of verify. */
export type Verdict<Scope extends string = string> = Accepted<Scope> | Refused

/** What a guard needs: a keyring, or anything else that verifies credentials for one. */
export interface Verifier<Scope extends string = string> {
  /** The declared scopes, each with its sentence. */
  readonly scopes: Catalogue<Scope>
  /** The first is the one that a route takes unless it says otherwise. */
  readonly environments: readonly string[]
  /**
   * Wraps a text that will be presented more than once, as on a connection that is kept, so that its hash is computed
   * once. Guards call it. A verifier that hashes nothing leaves it out.
   *
   * @example
   * const credential = keyring.credential?.(secret)
   * const verdict = await keyring.verify(credential)
   * console.log(verdict.ok) // true
   */
  credential?(text: string): Credential
  /**
   * Judges a credential: accepts it with its key, or refuses it and says why. Answers at once, not with a promise, when
   * nothing needs to be waited for. Never throws: when the store or the limiter fails, the refusal is `unavailable`.
   *
   * @param credential - what the caller sent, or `credential(text)` of it; `undefined` when nothing was sent. Any other
   *   object is malformed.
   * @param requirement - the scopes, the environment and the cost; any key of the first environment if left out. A
   *   requirement that is not understood, or that names an undeclared scope, accepts no key: the refusal is
   *   `unavailable`, and its `cause` says what is wrong. A frozen requirement, with frozen lists, is read once.
   * @param call - the caller's address, and whether to spend nothing. The same holds for it.
   *
   * @example
   * const verdict = await keyring.verify(secret, { allOf: ['orders:read'] }, { ip: '192.0.2.7' })
   * if (verdict.ok) console.log(verdict.key.owner)
   * else console.log(verdict.refusal.code, verdict.refusal.answer.status)
   */
  verify(
    credential: Credential | string | undefined,
    requirement?: Requirement<Scope>,
    call?: CallContext,
  ): Awaitable<Verdict<Scope>>
  /**
   * Remembers why a request was refused, for `Keyring.refusal`. Guards call it.
   *
   * @param route - as it was declared, e.g. `GET /orders/:id`.
   *
   * @example
   * const verdict = await keyring.verify('not a key')
   * if (!verdict.ok) keyring.noteRefusal?.('request-1', 'GET /orders', verdict)
   */
  noteRefusal?(requestId: string, route: string | undefined, refused: Refused): void
}
