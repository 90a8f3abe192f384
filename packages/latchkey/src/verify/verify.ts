import { longestCredential } from '../options.ts'
import { adminEnvironment } from '../policy/admin.ts'
import { phase } from '../policy/lifetime.ts'
import { covers } from '../policy/scopes.ts'
import type { Awaitable, SecretMatch } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import { hashSecret, hashSecretBySha512 } from '../secret/hash.ts'
import { formReader } from '../secret/parse.ts'
import { awaiting } from './awaiting.ts'
import type { Active, CachedKey } from './cache.ts'
import { refusedFor, cachedKeyOf } from './cached-key.ts'
import { Credential } from './credential.ts'
import type { Metered } from './metering.ts'
import { meterOf } from './metering.ts'
import type { KeyringParts } from './parts.ts'
import { catalogueOf } from './parts.ts'
import type { CheckedRequirement } from './requirement.ts'
import { checkContext, requirementReader } from './requirement.ts'
import type { CallContext, Requirement, Refused, Verdict, Verifier } from './verdict.ts'

/** What is known of a call where nothing was said of it. */
const noCall: CallContext = Object.freeze({ ip: undefined, dryRun: undefined, seenBy: undefined })

/** Refusals that say nothing of a key, made once: a flood of them allocates nothing. */
const plainly = Object.fromEntries(
  Object.values(refusals).map((refusal) => [refusal.code, Object.freeze({ ok: false, refusal })]),
) as unknown as Readonly<Record<RefusalCode, Refused>>

/**
 * The function behind `Keyring.verify`. Read downwards it is the list of its steps: form → find → state → lifetime →
 * environment → address → scopes → limits → quota. The first that fails gives the refusal.
 *
 * @param taken - the environments that may be asked for; all, and that of admin keys, if left out.
 */
export function verifierOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  taken: readonly [string, ...string[]] = [...parts.environments, adminEnvironment],
): Verifier<Scope>['verify'] {
  const { store, sources, cache, usage, clock, environments, scopes } = parts
  const formOf = formReader({ prefix: parts.prefix, environments: [...environments, adminEnvironment] })
  const requirementOf = requirementReader({
    environments: taken,
    catalogueOf: (environment) => catalogueOf(parts, environment),
  })
  const meter = meterOf(parts)

  function verify(
    presented: Credential | string | undefined,
    requirement?: Requirement<Scope>,
    call: CallContext = noCall,
  ): Awaitable<Verdict<Scope>> {
    let checked: CheckedRequirement
    try {
      if (call !== noCall) checkContext(call)
      checked = requirementOf(requirement)
    } catch (mistake) {
      return unavailable(mistake)
    }
    const verdict = judged(presented, checked, call)
    if (verdict instanceof Promise) return verdict.then((late) => counted(late, call))
    return verdict.ok ? verdict : counted(verdict, call)
  }

  /** Accepted calls are counted where their counter is at hand. */
  function counted(verdict: Verdict<Scope>, { dryRun }: CallContext): Verdict<Scope> {
    if (verdict.ok || dryRun === true) return verdict
    // Nobody has looked at the journal, nor at the time, for those that were refused unread.
    usage.tick(clock.now())
    usage.refuse(verdict)
    return verdict
  }

  function judged(
    presented: Credential | string | undefined,
    requirement: CheckedRequirement,
    call: CallContext,
  ): Awaitable<Verdict<Scope>> {
    if (presented === undefined || presented === null || presented === '') return plainly.missing
    // Callers in JavaScript pass on what their framework gives them, such as a list of lines or a body.
    const text = typeof presented === 'string' ? presented : Credential.textOf(presented)
    if (text === '') return plainly.missing
    if (typeof text !== 'string' || text.length > longestCredential) return plainly.malformed

    try {
      const current = cache.current()
      // What cannot be ours costs neither a hash nor a look, where nothing else can be here. The checksum, which takes
      // longer than a right credential should pay for, is only looked at where it saves a look.
      if (!mayHaveAnyForm()) {
        const form = current ? (formOf.begins(text) ? 'minted' : 'malformed') : formOf(text)
        if (form !== 'minted' && cache.knowsForms()) return plainly[form]
      }
      const hash = typeof presented === 'string' ? hashSecret(text) : presented.hash
      const verdict = current ? find(hash, text, requirement, call) : afterFollowing(hash, text, requirement, call)
      return verdict instanceof Promise ? verdict.catch((error: unknown) => undecided(text, error)) : verdict
    } catch (error) {
      return undecided(text, error)
    }
  }

  /** The store does not say what is so. What cannot be one of our secrets is refused all the same. */
  function undecided(text: string, cause: unknown): Refused {
    const form = formOf(text)
    return form === 'minted' || mayHaveAnyForm() ? unavailable(cause) : plainly[form]
  }

  /** Whether there are keys that were not minted here, as far as was known at the last look. */
  function mayHaveAnyForm(): boolean {
    return sources.length > 0 || cache.imported().length > 0
  }

  function afterFollowing(
    hash: string,
    text: string,
    requirement: CheckedRequirement,
    call: CallContext,
  ): Awaitable<Verdict<Scope>> {
    const followed = cache.follow()
    if (followed === undefined) return find(hash, text, requirement, call)
    return followed.then(() => (cache.current() ? find(hash, text, requirement, call) : undecided(text, tooLate())))
  }

  function find(
    hash: string,
    text: string,
    requirement: CheckedRequirement,
    call: CallContext,
  ): Awaitable<Verdict<Scope>> {
    const cached = cache.get(hash)
    if (cached !== undefined) return judge(cached, requirement, call)
    const form = formOf(text)
    const imported = cache.imported()
    // Without keys from elsewhere a credential that is not of ours ends here: no store is asked, nothing is kept.
    if (form !== 'minted' && !mayHaveAnyForm()) return plainly[form]

    const version = cache.version()
    const learn = (found: SecretMatch | undefined): Awaitable<Verdict<Scope>> => {
      const unknown = form === 'minted' ? 'unknown' : form
      const learned = found === undefined ? refusedFor(hash, unknown, undefined) : cachedKeyOf(hash, found, scopes)
      cache.keep(learned, version)
      return judge(learned, requirement, call)
    }
    const learnFromSources = (): Awaitable<Verdict<Scope>> => {
      for (const source of sources) {
        const key = source.bySecret(hash)
        if (key === undefined) continue
        return awaiting(store.owner(key.owner), (owner) => learn({ key, secret: undefined, owner }))
      }
      return form === 'minted' || imported.length > 0 ? learn(undefined) : plainly[form]
    }
    if (form !== 'minted' && imported.length === 0) return learnFromSources()
    // The store first: a key that was revoked there is revoked, whatever the settings say.
    return awaiting(store.bySecret(hash), (found) => {
      if (found !== undefined) return learn(found)
      if (!imported.includes('sha512')) return learnFromSources()
      const second = store.bySecret(hashSecretBySha512(text))
      return awaiting(second, (other) => (other === undefined ? learnFromSources() : learn(other)))
    })
  }

  function judge(
    { refused, active }: CachedKey<Scope>,
    requirement: CheckedRequirement,
    call: CallContext,
  ): Awaitable<Verdict<Scope>> {
    if (active === undefined) return refused === undefined ? plainly.unknown : seen(refused, call)
    const { key } = active.accepted
    if (call.seenBy !== undefined && !call.seenBy(key)) return plainly.unknown
    if (active.timed) {
      const now = clock.now()
      const where = phase(active, now)
      if (where === 'expired') return refuse('expired', active)
      if (where === 'pending') return refuse('not_yet_valid', active)
      if (active.endsAt !== null && now >= active.endsAt) return refuse('secret_ended', active)
    }
    if (key.environment !== requirement.environment) return refuse('wrong_environment', active)
    if (active.allows !== undefined) {
      const { ip } = call
      if (typeof ip !== 'string' || !active.allows(ip)) return refuse('address_not_allowed', active)
    }
    if (!covers(active.held, requirement)) return refuse('insufficient_scope', active)
    if (!active.metered) return accept(active, call)
    return awaiting(meter(active, requirement.cost, call.dryRun === true), (metered) =>
      afterMeter(active, metered, call),
    )
  }

  function afterMeter(active: Active<Scope>, metered: Metered, call: CallContext): Awaitable<Verdict<Scope>> {
    const { refused, states, retryAfter, cause } = metered
    if (refused !== undefined) {
      return { ...refuse(refused, active), limits: states, retryAfter, ...(cause === undefined ? {} : { cause }) }
    }
    const exceeding = call.dryRun !== true && states.some(({ exceeded }) => exceeded)
    if (exceeding) usage.report(active.counter)
    return awaiting(accept(active, call), (verdict) => (verdict.ok ? { ...verdict, limits: states } : verdict))
  }

  function accept(active: Active<Scope>, { dryRun }: CallContext): Awaitable<Verdict<Scope>> {
    if (dryRun === true) return active.accepted
    const writing = usage.accept(active.counter)
    return writing === undefined ? active.accepted : writing.then(() => afterFirstUse(active))
  }

  /** While its first use waited to be written, the secret may have been replaced as one that was never used. */
  function afterFirstUse(active: Active<Scope>): Awaitable<Verdict<Scope>> {
    const { secretHash = '' } = active.counter
    return awaiting(store.bySecret(secretHash), (found) => {
      return found?.secret?.ended === true ? refuse('secret_ended', active) : active.accepted
    })
  }

  return verify
}

function refuse<Scope extends string>(code: RefusalCode, { accepted }: Active<Scope>): Refused {
  const { id, owner, environment } = accepted.key
  const retiring = code === 'secret_ended' ? undefined : accepted.retiring
  return { ok: false, refusal: refusals[code], keyId: id, owner, environment, retiring }
}

/** A refused key, for those who may see it; for others there is no such key. */
function seen(refused: Refused, { seenBy }: CallContext): Refused {
  const { owner, environment } = refused
  if (seenBy === undefined || owner === undefined || environment === undefined) return refused
  return seenBy({ owner, environment }) ? refused : plainly.unknown
}

/** A store that fails is neither a yes nor a no (ASVS 5.0 16.5.3: fail closed). */
export function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/** A look that took longer than its lease may have missed what was answered before somebody joined in waiting for it. */
function tooLate(): Error {
  return new Error('The store took longer to tell what has changed than its lease lasts.')
}
