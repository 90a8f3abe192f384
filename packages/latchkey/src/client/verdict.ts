import { LatchkeyError } from '../error.ts'
import { frozenCopy } from '../frozen.ts'
import { covers } from '../policy/scopes.ts'
import type { RefusedLimit } from '../ports.ts'
import type { Answer, Refusal, RefusalCode, Step } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import type { CheckedRequirement } from '../verify/requirement.ts'
import { takes } from '../verify/requirement.ts'
import type { LimitState, Retiring, Verdict, VerifiedKey } from '../verify/verdict.ts'

/** A verdict as POST /v1/verify answers it. */
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
  readonly limit?: RefusedLimit
  readonly retryAfter?: number
  readonly missing?: readonly string[]
}

/**
 * Reads the verdict in an answer to a call with this requirement.
 *
 * @throws LatchkeyError `unexpected_answer` when there is none, or one that accepts a key that does not meet the requirement.
 */
export function verdictFor<Scope extends string>(requirement: CheckedRequirement, answer: unknown): Verdict<Scope> {
  const verdict = typeof answer === 'object' && answer !== null ? verdictOf<Scope>(answer) : undefined
  if (verdict === undefined) throw new LatchkeyError('unexpected_answer', 'The answer is no verdict.')
  if (verdict.ok && !meets(verdict.key, requirement)) {
    throw new LatchkeyError('unexpected_answer', 'The answer accepts a key that is not what was asked for.')
  }
  return verdict
}

/** A server that has misunderstood the question, or a proxy that answers it from memory, must not let a caller in. */
function meets({ environment, scopes }: VerifiedKey, requirement: CheckedRequirement): boolean {
  return takes(requirement, environment) && covers(new Set(scopes), requirement)
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
  const { keyId, owner, environment, limit, retryAfter, missing } = wire
  if (
    !areLimits(limits) ||
    !areLimits(limit && [limit]) ||
    (retryAfter !== undefined && typeof retryAfter !== 'number')
  )
    return undefined
  if (missing !== undefined && !(Array.isArray(missing) && missing.every((scope) => typeof scope === 'string')))
    return undefined
  return {
    ok: false,
    refusal,
    ...(keyId === undefined ? {} : { keyId }),
    ...(owner === undefined ? {} : { owner }),
    ...(environment === undefined ? {} : { environment }),
    ...(limits === undefined ? {} : { limits }),
    ...(limit === undefined ? {} : { limit }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(missing === undefined ? {} : { missing }),
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
