import type { Delegation } from '../policy/delegation.ts'
import type { Metadata } from '../policy/metadata.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Awaitable, RefusedLimit } from '../ports.ts'
import type { Refusal } from '../refusal.ts'
import type { Credential } from './credential.ts'

export type { Credential } from './credential.ts'

/** The requirement of a route on a key. Without any member, every key of the first environment meets it. */
export interface Requirement<Scope extends string = string> {
  /** The key must have all of these scopes. */
  readonly allOf?: readonly Scope[]
  /** The key must have at least one of these scopes. */
  readonly anyOf?: readonly Scope[]
  /**
   * The environment whose keys are taken, or several of them; the first one if left out. `null` takes keys of whichever,
   * except of `admin`: the verdict says which it is.
   */
  readonly environment?: string | readonly string[] | null
  /** The cost of a call, which limits and quota are charged: a whole number from 0; 1 if left out. */
  readonly cost?: number
}

/**
 * The facts about a call besides its credential. Pass these members, and never a framework's request: other code may
 * put a `dryRun` on that.
 */
export interface CallContext {
  /** The caller's address. Without it, a key that names addresses is refused. */
  readonly ip?: string | undefined
  /** Answers as usual, and takes nothing from limits and quota. */
  readonly dryRun?: boolean | undefined
  /** Whether the caller may see a key; any other key is refused as `unknown`. If left out, the caller sees all keys. */
  readonly seenBy?: ((key: { readonly owner: string; readonly environment: string }) => boolean) | undefined
}

/**
 * The key with which a request was accepted. It is frozen at every depth, because all requests with the same key share it
 * until the key is changed.
 */
export interface VerifiedKey<Scope extends string = string> {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly environment: string
  /** Expanded: a key with `orders:*` holds every declared scope on orders. */
  readonly scopes: readonly Scope[]
  readonly metadata: Metadata
  /** The first millisecond in which the key is no longer valid, since 1970; `null` if it never expires. */
  readonly expiresAt: number | null
  /** The rights that the key may give, if it is an admin key. */
  readonly delegation: Delegation | null
}

/** The state of a limit or of the quota after a call. */
export interface LimitState {
  /** The name of the limit. A limit of the owner is `owner:` and its name; the quota is `quota`. */
  readonly name: string
  /** The whole of it. */
  readonly limit: number
  /** Seconds; `null` for the quota. */
  readonly window: number | null
  /** The remaining amount after the call. */
  readonly remaining: number
  /** Seconds until there is more, rounded up; `null` if that never comes. */
  readonly reset: number | null
  /** It had no room for the call. If the call was accepted, the limit only reports. */
  readonly exceeded: boolean
  /** It refuses no call, and is not reported to callers. */
  readonly reportOnly: boolean
}

/** The secret that was sent is an old one: its key was rotated. */
export interface Retiring {
  /** When the newer secret was made, in milliseconds since 1970. */
  readonly since: number
  /** The first millisecond in which the old one no longer works, since 1970. */
  readonly until: number
}

/** The verdict on a credential that was accepted. */
export interface Accepted<Scope extends string = string> {
  readonly ok: true
  readonly key: VerifiedKey<Scope>
  /** The remaining amounts of limits and quota, if the key or its owner has any. */
  readonly limits?: readonly LimitState[] | undefined
  /** Set if the secret is an old one of the key. */
  readonly retiring?: Retiring | undefined
}

/** The verdict on a credential that was refused. */
export interface Refused {
  readonly ok: false
  /** Why, and what to answer the caller. */
  readonly refusal: Refusal
  /** The id, owner and environment of the key, where the credential belongs to one. */
  readonly keyId?: string | undefined
  readonly owner?: string | undefined
  readonly environment?: string | undefined
  /** How limits and quota stand, if one of them is the reason. */
  readonly limits?: readonly LimitState[] | undefined
  /** The limit or the quota that refused; of several limits, the one for which the caller must wait longest. */
  readonly limit?: RefusedLimit | undefined
  /** Seconds after which the call can be accepted, by all limits; left out if it never can. */
  readonly retryAfter?: number | undefined
  /**
   * For `insufficient_scope`: the scopes that the key lacks; of alternatives, all of them. For those who may know: the
   * answer to the caller never has it.
   */
  readonly missing?: readonly string[] | undefined
  /** Set if the secret is an old one of the key. */
  readonly retiring?: Retiring | undefined
  /**
   * For `unavailable`: the error of the store or the limiter, or what is wrong with the requirement. For any other refusal:
   * what failed besides.
   */
  readonly cause?: unknown
}

/** What is noted of a refused call besides its verdict. */
export interface RefusedCall {
  /** The id of the request, which its answer names. */
  readonly requestId: string
  /** The route as it was declared, e.g. `GET /orders/:id`. */
  readonly route?: string | undefined
  /** The address of the caller. */
  readonly address?: string | undefined
  /** The requirement that it did not meet. */
  readonly requirement?: Requirement | undefined
}

/** The answer of `verify`: accepted with a key, or refused with a reason. */
export type Verdict<Scope extends string = string> = Accepted<Scope> | Refused

/** The verifier that a guard needs: a keyring, or any other object that verifies credentials for one. */
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
   * Notes why a request was refused, for `Keyring.refusal` and `Keyring.refusals`. It is written later. Guards call it.
   *
   * @example
   * const requirement = { allOf: ['orders:read'] } as const
   * const verdict = await keyring.verify('not a key', requirement)
   * if (!verdict.ok) keyring.noteRefusal?.(verdict, { requestId: 'request-1', route: 'GET /orders', requirement })
   */
  noteRefusal?(refused: Refused, call: RefusedCall): void
}
