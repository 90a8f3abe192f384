import { LatchkeyError } from '../error.ts'
import { frozenCopy } from '../frozen.ts'
import { invalid, longestCredential } from '../options.ts'
import { adminEnvironment } from '../policy/admin.ts'
import { parseIp } from '../policy/ip.ts'
import { covers } from '../policy/scopes.ts'
import type { Answer, Refusal, RefusalCode, Step } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import type { CheckedRequirement } from '../verify/requirement.ts'
import { checkContext, requirementReader } from '../verify/requirement.ts'
import type {
  CallContext,
  Credential,
  Requirement,
  LimitState,
  Refused,
  Retiring,
  Verdict,
  VerifiedKey,
} from '../verify/verdict.ts'
import type { Transport } from './transport.ts'

/**
 * The `verify` of a keyring on the other side of the wire. It never throws. The refusal is `unavailable` (ASVS 5.0
 * 16.5.3: fail closed) when the server's verdict does not arrive, when an answer cannot be read as a verdict, and when
 * it accepts a key that does not meet the requirement.
 *
 * @param environments - the environments that the server reported; the first is its default.
 */
export function verifierOver<Scope extends string>(
  transport: Transport,
  environments: readonly [string, ...string[]],
): (
  credential: Credential | string | undefined,
  requirement?: Requirement<Scope>,
  call?: CallContext,
) => Promise<Verdict<Scope>> {
  const requirementOf = requirementReader({
    environments: environments.includes(adminEnvironment) ? environments : [...environments, adminEnvironment],
    // Only the server knows which scopes are declared now.
    catalogueOf: () => undefined,
  })
  return async (presented, requirement, call = {}) => {
    try {
      checkContext(call)
      const { ip, dryRun, seenBy } = call
      // On the server, the admin key decides which keys the answer may describe. The client cannot change that, so it
      // refuses `seenBy`.
      if (seenBy !== undefined) throw invalid('seenBy', 'left out for a keyring on the other side of the wire')
      const checked = requirementOf(requirement)
      const credential = presented ?? ''
      if (credential === '') return { ok: false, refusal: refusals.missing }
      // Only a text can be a credential; any other value is not sent over the wire.
      if (typeof credential !== 'string') return { ok: false, refusal: refusals.malformed }
      if (credential.length > longestCredential) return { ok: false, refusal: refusals.malformed }

      const { environment, allOf, anyOf, cost } = checked
      const answer = await transport.send({
        method: 'POST',
        path: '/v1/verify',
        body: {
          credential,
          environment,
          ...(allOf.length === 0 ? {} : { scopes: allOf }),
          ...(anyOf.length === 0 ? {} : { anyOf }),
          address: addressOf(ip),
          cost,
          dryRun,
        },
        // One that spends must not spend twice.
        repeatable: dryRun === true,
      })
      const verdict = verdictOf<Scope>(answer)
      if (verdict === undefined) throw new LatchkeyError('unexpected_answer', 'The answer is no verdict.')
      if (verdict.ok && !meets(verdict.key, checked)) {
        throw new LatchkeyError('unexpected_answer', 'The answer accepts a key that is not what was asked for.')
      }
      return verdict
    } catch (error) {
      return unavailable(error)
    }
  }
}

/** A server that has misunderstood the question, or a proxy that answers it from memory, must not let a caller in. */
function meets({ environment, scopes }: VerifiedKey, requirement: CheckedRequirement): boolean {
  return environment === requirement.environment && covers(new Set(scopes), requirement)
}

/** Leaves out a text that is not an address: like an unknown address, it lies in no range. */
function addressOf(ip: string | undefined): string | undefined {
  return ip === undefined || parseIp(ip) === undefined ? undefined : ip
}

function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/** The answer of POST /v1/verify. */
interface Wire {
  readonly valid?: unknown
  readonly key?: Partial<VerifiedKey> | undefined
  readonly limits?: readonly LimitState[]
  readonly retiring?: Retiring
  readonly code?: unknown
  readonly step?: unknown
  readonly why?: unknown
  readonly answer?: Partial<Answer> | undefined
  readonly keyId?: string
  readonly owner?: string
  readonly environment?: string
  readonly retryAfter?: number
}

/** The verdict in an answer; `undefined` if the answer has none. */
function verdictOf<Scope extends string>(wire: Wire): Verdict<Scope> | undefined {
  const { valid, key, limits, retiring } = wire
  if (valid === true) {
    const { id, owner, environment, scopes } = key ?? {}
    if (typeof id !== 'string' || typeof owner !== 'string' || typeof environment !== 'string') return undefined
    if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string')) return undefined
    if (!areLimits(limits) || !isRetiring(retiring)) return undefined
    return {
      ok: true,
      key: frozenCopy(key) as VerifiedKey<Scope>,
      ...(limits === undefined ? {} : { limits }),
      ...(retiring === undefined ? {} : { retiring }),
    }
  }
  const refusal = valid === false ? refusalOf(wire) : undefined
  if (refusal === undefined) return undefined
  const { keyId, owner, environment, retryAfter } = wire
  if (!areLimits(limits) || (retryAfter !== undefined && typeof retryAfter !== 'number')) return undefined
  return {
    ok: false,
    refusal,
    ...(keyId === undefined ? {} : { keyId }),
    ...(owner === undefined ? {} : { owner }),
    ...(environment === undefined ? {} : { environment }),
    ...(limits === undefined ? {} : { limits }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

/** Guards write headers of them: what cannot be written would be a fault of the application that asks. */
function areLimits(limits: unknown): limits is Wire['limits'] {
  if (limits === undefined) return true
  return Array.isArray(limits) && limits.every((one: Partial<LimitState> | null) => typeof one?.name === 'string')
}

function isRetiring(retiring: unknown): retiring is Wire['retiring'] {
  if (retiring === undefined) return true
  const { since, until } = (retiring ?? {}) as Partial<Retiring>
  return [since, until].every(
    (timestamp) => Number.isFinite(timestamp) && !Number.isNaN(new Date(Number(timestamp)).getTime()),
  )
}

/** The row of the table. For a refusal that a newer server has and this table has not, the server's own description. */
function refusalOf({ code, step, why, answer }: Wire): Refusal | undefined {
  if (typeof code !== 'string') return undefined
  if (Object.hasOwn(refusals, code)) return refusals[code as RefusalCode]
  if (typeof answer !== 'object' || typeof answer.code !== 'string' || typeof answer.detail !== 'string')
    return undefined
  if (!Number.isInteger(answer.status) || Number(answer.status) < 400 || Number(answer.status) > 599) return undefined
  return {
    code: code as RefusalCode,
    step: step as Step,
    answer: answer as Answer,
    why: typeof why === 'string' ? why : '',
  }
}
