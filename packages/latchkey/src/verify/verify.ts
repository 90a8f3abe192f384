import { longestCredential } from '../options.ts'
import { adminEnvironment } from '../policy/admin.ts'
import { phase } from '../policy/lifetime.ts'
import { covers, missingScopes } from '../policy/scopes.ts'
import type { Awaitable, Clock } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import { hashSecret } from '../secret/hash.ts'
import { formReader } from '../secret/parse.ts'
import { awaiting } from './awaiting.ts'
import type { CachedKey, Conditions, Finding } from './cached-key.ts'
import { Credential, lastTimeOf, note } from './credential.ts'
import { lookupOf, notOurs } from './lookup.ts'
import type { Metered } from './metered.ts'
import { meterOf } from './metering.ts'
import type { KeyringParts } from './parts.ts'
import { catalogueOf } from './parts.ts'
import { plainRefusals } from './plain-refusals.ts'
import type { CheckedRequirement } from './requirement.ts'
import { checkContext, requirementReader, takes } from './requirement.ts'
import type { Accepted, CallContext, LimitState, Requirement, Refused, Verdict, Verifier } from './verdict.ts'

/** The context of a call that brings none. */
const noContext: CallContext = Object.freeze({ ip: undefined, dryRun: undefined, seenBy: undefined })

/**
 * The function behind `Keyring.verify`. `judged` and `judge` are the list of its steps, a line each: form → find → state →
 * lifetime → environment → address → scopes → limits → quota. The first that fails gives the refusal.
 *
 * @param taken - the environments that a call may require; if left out, all of them and that of admin keys.
 */
export function verifierOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  taken: readonly [string, ...string[]] = [...parts.environments, adminEnvironment],
): Verifier<Scope>['verify'] {
  const { store, sources, cache, usage, clock, environments } = parts
  const formOf = formReader({ prefix: parts.prefix, environments: [...environments, adminEnvironment] })
  const requirementOf = requirementReader({
    environments: taken,
    catalogueOf: (environment) => catalogueOf(parts, environment),
  })
  const lookup = lookupOf(parts, formOf)
  const meter = meterOf(parts)

  function verify(
    presented: Credential | string | undefined,
    requirement?: Requirement<Scope>,
    call: CallContext = noContext,
  ): Awaitable<Verdict<Scope>> {
    let checked: CheckedRequirement
    let again: Awaitable<Verdict<Scope>> | undefined
    try {
      if (call !== noContext) checkContext(call)
      checked = requirementOf(requirement)
      again = judgedAgain(presented, checked, call)
    } catch (mistake) {
      return unavailable(mistake)
    }
    const verdict = again ?? judged(presented, checked, call)
    if (verdict instanceof Promise) return verdict.then((late) => counted(late, call))
    return verdict.ok ? verdict : counted(verdict, call)
  }

  /**
   * The hot path: the verdict on a credential that was accepted before, as on a connection that is kept. The key, what it
   * may do and the requirement are the same for as long as the version of the cache is, and the cache may answer only
   * during a lease. What differs from call to call is not judged here: such a key has conditions and is never noted.
   */
  function judgedAgain(
    presented: Credential | string | undefined,
    requirement: CheckedRequirement,
    call: CallContext,
  ): Awaitable<Verdict<Scope>> | undefined {
    const last = lastTimeOf(presented)
    if (last === undefined || last.requirement !== requirement || last.version !== cache.version()) return undefined
    if (call.seenBy !== undefined || !cache.current()) return undefined
    const found = last.found as CachedKey<Scope>
    return accept(found, costOf(requirement, call))
  }

  /** Notes a key for the hot path, unless its first use is to be written, or something is to be judged anew each time. */
  function noteIfPlain(presented: unknown, found: Finding<Scope>, requirement: CheckedRequirement): void {
    if (found.refused !== undefined || found.conditions !== undefined || found.firstUse) return
    note(presented, { found, requirement, version: cache.version() })
  }

  /** Counts a refused call. `accept` has counted an accepted one, because it has the counter of the key. */
  function counted(verdict: Verdict<Scope>, { dryRun }: CallContext): Verdict<Scope> {
    if (verdict.ok || dryRun === true) return verdict
    // A call that was refused by its form has looked neither at the journal nor at the time.
    usage.tick(clock.now())
    usage.refuse(verdict)
    return verdict
  }

  function judged(
    presented: Credential | string | undefined,
    requirement: CheckedRequirement,
    call: CallContext,
  ): Awaitable<Verdict<Scope>> {
    const text = textOf(presented)
    if (text === undefined || text.length > longestCredential) return plainRefusals.malformed // form
    if (text === '') return plainRefusals.missing
    try {
      const found = find(presented as Credential | string, text) // find
      if (found instanceof Promise) {
        return found.then((late) => judge(late, requirement, call)).catch((error: unknown) => undecided(text, error))
      }
      const verdict = judge(found, requirement, call)
      if (verdict instanceof Promise) return verdict.catch((error: unknown) => undecided(text, error))
      if (verdict.ok) noteIfPlain(presented, found, requirement)
      return verdict
    } catch (error) {
      return undecided(text, error)
    }
  }

  function judge(found: Finding<Scope>, requirement: CheckedRequirement, call: CallContext): Awaitable<Verdict<Scope>> {
    if (found.refused !== undefined) return isSeen(found.refused, call) ? found.refused : plainRefusals.unknown // state
    const { key, held, conditions } = found
    if (call.seenBy !== undefined && !call.seenBy(key)) return plainRefusals.unknown
    const outside = conditions === undefined ? undefined : outsideLifetime(conditions, clock)
    if (outside !== undefined) return refuse(outside, found) // lifetime
    if (!takes(requirement, key.environment)) return refuse('wrong_environment', found) // environment
    if (!mayCallFrom(conditions, call)) return refuse('address_not_allowed', found) // address
    if (!covers(held, requirement)) return lacking(found, requirement) // scopes
    if (conditions === undefined || !isMetered(conditions)) {
      return accept(found, costOf(requirement, call))
    }
    const { cost } = requirement
    const answer = meter(conditions, { keyId: key.id, cost, dryRun: call.dryRun === true }) // limits and quota
    return awaiting(answer, (metered) => {
      const { refused } = metered
      if (refused !== undefined) return overLimit(refused, found, metered)
      return accept(found, costOf(requirement, call), metered.states)
    })
  }

  /** Finds the key of a credential: without a hash if the text cannot be ours, in the cache, or else by a look-up. */
  function find(presented: Credential | string, text: string): Awaitable<Finding<Scope>> {
    const current = cache.current()
    const formless = mayHaveAnyForm() ? undefined : formlessIn(text, current)
    if (formless !== undefined) return formless
    const hash = typeof presented === 'string' ? hashSecret(text) : presented.hash
    const following = current ? undefined : cache.follow()
    if (following === undefined) return cache.get(hash) ?? lookup(hash, text)
    return following.then(() => {
      if (!cache.current()) throw tooLate()
      return cache.get(hash) ?? lookup(hash, text)
    })
  }

  /**
   * The finding for a text that has not the form of a minted secret, while there are no others. A text with the right
   * beginning costs as much to check as to look up, so its checksum is checked only if a look at the store is due.
   */
  function formlessIn(text: string, current: boolean): Finding<never> | undefined {
    const form = current ? (formOf.begins(text) ? 'minted' : 'malformed') : formOf(text)
    return form === 'minted' || !cache.knowsForms() ? undefined : notOurs[form]
  }

  /** Whether there are keys that were not minted here, as of the last look. */
  function mayHaveAnyForm(): boolean {
    return sources.length > 0 || cache.imported().length > 0
  }

  /** The verdict where the store fails. A text that cannot be a secret of ours is refused all the same. */
  function undecided(text: string, cause: unknown): Refused {
    const form = formOf(text)
    return form === 'minted' || mayHaveAnyForm() ? unavailable(cause) : plainRefusals[form]
  }

  /**
   * Accepts a call, and counts it. If something must be written first, it is counted only then: until then it may still be
   * refused, and each call is counted once.
   *
   * @param cost - `undefined` for a dry run.
   */
  function accept(
    found: CachedKey<Scope>,
    cost: number | undefined,
    limits?: readonly LimitState[],
  ): Awaitable<Verdict<Scope>> {
    const writing = found.firstUse && cost !== undefined ? usage.noteFirstUse(found) : undefined
    if (writing !== undefined) return writing.then(() => afterFirstUse(found, cost, limits))
    count(found, cost, limits)
    return acceptedWith(found, limits)
  }

  /** Counts an accepted call, and for each limit that only reports and had no room for it. */
  function count(found: CachedKey<Scope>, cost: number | undefined, limits?: readonly LimitState[]): void {
    if (cost === undefined) return
    if (limits !== undefined) for (const { exceeded, name } of limits) if (exceeded) usage.report(found, name)
    usage.accept(found, cost)
  }

  /** While its first use waited to be written, the secret may have been replaced as one that was never used. */
  function afterFirstUse(
    found: CachedKey<Scope>,
    cost: number | undefined,
    limits: readonly LimitState[] | undefined,
  ): Awaitable<Verdict<Scope>> {
    return awaiting(store.bySecret(found.secretHash ?? ''), (kept) => {
      if (kept?.secret?.ended === true) return refuse('secret_ended', found)
      count(found, cost, limits)
      return acceptedWith(found, limits)
    })
  }

  return verify
}

/**
 * The text of a credential; empty if there is none. `undefined` for any other value: callers in JavaScript pass on what
 * their framework gives them, such as a list of lines or a body.
 */
function textOf(presented: Credential | string | undefined): string | undefined {
  if (typeof presented === 'string') return presented
  return presented === undefined || presented === null ? '' : Credential.textOf(presented)
}

function outsideLifetime(conditions: Conditions, clock: Clock): RefusalCode | undefined {
  const { notBefore, expiresAt, endsAt } = conditions
  if (notBefore === null && expiresAt === null && endsAt === null) return undefined
  const now = clock.now()
  const where = phase(conditions, now)
  if (where === 'expired') return 'expired'
  if (where === 'pending') return 'not_yet_valid'
  return endsAt !== null && now >= endsAt ? 'secret_ended' : undefined
}

function mayCallFrom(conditions: Conditions | undefined, call: CallContext): boolean {
  if (conditions?.allows === undefined) return true
  const { ip } = call
  return typeof ip === 'string' && conditions.allows(ip)
}

/** What a call costs; `undefined` for a dry run. */
function costOf({ cost }: CheckedRequirement, { dryRun }: CallContext): number | undefined {
  return dryRun === true ? undefined : cost
}

function isMetered({ windows, quota }: Conditions): boolean {
  return windows.length > 0 || quota !== null
}

function acceptedWith<Scope extends string>(
  { key, conditions }: CachedKey<Scope>,
  limits: readonly LimitState[] | undefined,
): Accepted<Scope> {
  return { ok: true, key, limits, retiring: conditions?.retiring }
}

function refuse<Scope extends string>(code: RefusalCode, { key, conditions }: CachedKey<Scope>): Refused {
  const { id, owner, environment } = key
  const retiring = code === 'secret_ended' ? undefined : conditions?.retiring
  return { ok: false, refusal: refusals[code], keyId: id, owner, environment, retiring }
}

function overLimit<Scope extends string>(
  code: RefusalCode,
  found: CachedKey<Scope>,
  { states, limit, retryAfter, cause }: Metered,
): Refused {
  return { ...refuse(code, found), limits: states, limit, retryAfter, ...(cause === undefined ? {} : { cause }) }
}

function lacking<Scope extends string>(found: CachedKey<Scope>, requirement: CheckedRequirement): Refused {
  return { ...refuse('insufficient_scope', found), missing: missingScopes(found.held, requirement) }
}

/** Whether the caller may see the key of a refusal. For other callers the key does not exist. */
function isSeen(refused: Refused, { seenBy }: CallContext): boolean {
  const { owner, environment } = refused
  if (seenBy === undefined || owner === undefined || environment === undefined) return true
  return seenBy({ owner, environment })
}

/** A store that fails is neither a yes nor a no (ASVS 5.0 16.5.3: fail closed). */
export function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/** A look that took longer than its lease may have missed a change that was answered before this call joined the wait. */
function tooLate(): Error {
  return new Error('The store took longer to tell what has changed than its lease lasts.')
}
