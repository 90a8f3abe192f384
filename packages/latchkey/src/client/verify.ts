import { LatchkeyError } from '../error.ts'
import type {
  Call,
  Credential,
  Demand,
  LimitState,
  Refused,
  Retiring,
  Verdict,
  VerifiedKey,
} from '../keyring/verdict.ts'
import { parseIp } from '../policy/ip.ts'
import type { Answer, Refusal, RefusalCode, Step } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import type { Transport } from './transport.ts'

/** No credential is longer; the server would not read it either. */
const longestCredential = 1024

/**
 * The `verify` of a keyring on the other side of the wire. Never throws: whatever keeps the server's verdict from coming
 * is the refusal `unavailable` (ASVS 5.0 16.5.3: fail closed), and so is an answer that cannot be read as a verdict.
 */
export function verifierOver<Scope extends string>(
  transport: Transport,
): (credential: Credential | string | undefined, demand?: Partial<Demand>, call?: Call) => Promise<Verdict<Scope>> {
  return async (presented, { environment, allOf, anyOf, cost } = {}, { ip, dryRun, seenBy } = {}) => {
    const credential = presented ?? ''
    if (credential === '') return { ok: false, refusal: refusals.missing }
    // Whatever is no text is no credential, and nothing of it goes over the wire.
    if (typeof credential !== 'string') return { ok: false, refusal: refusals.malformed }
    if (credential.length > longestCredential) return { ok: false, refusal: refusals.malformed }
    // Whose keys may be told of is what the admin key says there. Nothing else may be made of it here.
    if (seenBy !== undefined) {
      return unavailable(
        new LatchkeyError('invalid_input', 'seenBy is not for a keyring on the other side of the wire.'),
      )
    }
    try {
      const answer = await transport.send({
        method: 'POST',
        path: '/v1/verify',
        body: { credential, environment, scopes: allOf, anyOf, address: addressOf(ip), cost, dryRun },
        // One that spends must not spend twice.
        repeatable: dryRun === true,
      })
      return (
        verdictOf<Scope>(answer) ?? unavailable(new LatchkeyError('unexpected_answer', 'The answer is no verdict.'))
      )
    } catch (error) {
      return unavailable(error)
    }
  }
}

/** What is no address lies in no range, just as one that is not known. */
function addressOf(ip: string | undefined): string | undefined {
  return ip === undefined || parseIp(ip) === undefined ? undefined : ip
}

function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/** What POST /v1/verify answers. */
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

/** The verdict in an answer; `undefined` where there is none. */
function verdictOf<Scope extends string>(wire: Wire): Verdict<Scope> | undefined {
  const { valid, key, limits, retiring } = wire
  if (valid === true) {
    const { id, owner, environment, scopes } = key ?? {}
    if (typeof id !== 'string' || typeof owner !== 'string' || typeof environment !== 'string') return undefined
    if (!Array.isArray(scopes)) return undefined
    return {
      ok: true,
      key: Object.freeze(key) as VerifiedKey<Scope>,
      ...(limits === undefined ? {} : { limits }),
      ...(retiring === undefined ? {} : { retiring }),
    }
  }
  const refusal = valid === false ? refusalOf(wire) : undefined
  if (refusal === undefined) return undefined
  const { keyId, owner, environment, retryAfter } = wire
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

/** The row of the table; of a server that knows more refusals than this table, what it says of them. */
function refusalOf({ code, step, why, answer }: Wire): Refusal | undefined {
  if (typeof code !== 'string') return undefined
  if (Object.hasOwn(refusals, code)) return refusals[code as RefusalCode]
  if (typeof answer !== 'object' || typeof answer.code !== 'string' || typeof answer.detail !== 'string')
    return undefined
  if (typeof answer.status !== 'number' || answer.status < 400) return undefined
  return {
    code: code as RefusalCode,
    step: step as Step,
    answer: answer as Answer,
    why: typeof why === 'string' ? why : '',
  }
}
