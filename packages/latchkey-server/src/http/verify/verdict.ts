import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LimitState, Refused, Requirement, Retiring, Verdict } from 'latchkey'
import { refusals } from 'latchkey'
import { Type } from '../type.ts'
import { verifiedKey } from '../keys/bodies.ts'
import { unavailable } from '../route/errors.ts'
import type { RouteParts } from '../route/parts.ts'
import type { SchemasOf } from '../wire.ts'
import { described, nullable, refusalCodes, refusalSteps, refusedLimit, timestamp } from '../wire.ts'

const limitState = {
  name: Type.String({ description: 'The name of the limit; `quota` for the quota' }),
  limit: Type.Number({ description: 'How much is allowed' }),
  window: nullable(Type.Number({ description: 'The length of the interval in seconds; null for the quota' })),
  remaining: Type.Number({ description: 'How much is left' }),
  reset: nullable(Type.Number({ description: 'In how many seconds there is more; null is never' })),
  exceeded: Type.Boolean({ description: 'Whether this call was over the limit' }),
  reportOnly: Type.Boolean({ description: 'Whether the limit only counts, and refuses no call' }),
} satisfies SchemasOf<LimitState>

const oldSecret = {
  since: described(timestamp, 'When a newer secret replaced it, in milliseconds since 1970 (UTC)'),
  until: described(timestamp, 'When it stops working, in milliseconds since 1970 (UTC)'),
} satisfies SchemasOf<Retiring>

const answers = Object.values(refusals).map(({ answer }) => answer)
const answerTypes = answers.flatMap(({ type }) => type ?? [])

const callersAnswer = {
  status: Type.Enum(unique(answers.map(({ status }) => status)), { description: 'The status of your answer' }),
  code: Type.Enum(unique(answers.map(({ code }) => code)), { description: 'A code, for programs' }),
  detail: Type.String({ description: 'A sentence, for people' }),
  type: Type.Optional(
    Type.Enum(unique(answerTypes), { description: 'The type of the problem, if it is a registered one' }),
  ),
} satisfies SchemasOf<Refused['refusal']['answer']>

const either = {
  limits: Type.Optional(
    Type.Array(Type.Object(limitState, { title: 'LimitState' }), {
      description: 'The limits of the key and its owner, and its quota, after this call',
    }),
  ),
  retiring: Type.Optional(Type.Object(oldSecret, { description: 'The credential is an old secret of a rotated key' })),
}

const accepted = Type.Object(
  {
    valid: Type.Literal(true, { description: 'The credential is accepted' }),
    code: Type.Literal('accepted', { description: 'Always `accepted`' }),
    key: verifiedKey,
    ...either,
  },
  { title: 'AcceptedVerdict' },
)

const refused = Type.Object(
  {
    valid: Type.Literal(false, { description: 'The credential is refused' }),
    code: Type.Enum(refusalCodes, { description: 'The code of the refusal', examples: ['expired'] }),
    step: Type.Enum(refusalSteps, { description: 'The step of verification that failed', examples: ['lifetime'] }),
    why: Type.String({ description: 'Why the credential is refused: for you, not for your caller' }),
    answer: Type.Object(callersAnswer, { description: 'What you may tell your caller' }),
    keyId: Type.Optional(Type.String({ description: 'The id of the refused key' })),
    owner: Type.Optional(Type.String({ description: 'The owner of the refused key' })),
    environment: Type.Optional(Type.String({ description: 'The environment of the refused key' })),
    missing: Type.Optional(
      Type.Array(Type.String(), { description: 'The scopes that the key lacks: for you, not for your caller' }),
    ),
    limit: Type.Optional(refusedLimit),
    retryAfter: Type.Optional(
      Type.Number({ description: 'In how many seconds the call can be accepted, by all limits' }),
    ),
    ...either,
  },
  { title: 'RefusedVerdict' },
)

/** The schema of a verdict in an answer. */
export const verdict = Type.Union([accepted, refused], { title: 'Verdict' })

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)]
}

/** A verdict as an answer has it, in JSON. */
export function textOf(found: Verdict): string {
  if (!found.ok) {
    const { refusal, keyId, owner, environment, missing, limits, limit, retryAfter, retiring } = found
    const { code, step, why, answer } = refusal
    return JSON.stringify({
      valid: false,
      code,
      step,
      why,
      answer,
      keyId,
      owner,
      environment,
      missing,
      limits,
      limit,
      retryAfter,
      retiring,
    })
  }
  const { key, limits, retiring } = found
  // Most verdicts are these: the members by hand are written in half the time.
  const more = (limits ?? retiring) === undefined ? '' : `,${JSON.stringify({ limits, retiring }).slice(1, -1)}`
  return `{"valid":true,"code":"accepted","key":${JSON.stringify(key)}${more}}`
}

/** Sends a text as JSON, which nothing then looks at. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(text)
}

/** What a request asked about one credential. */
export interface Asked {
  readonly request: FastifyRequest
  /** The id under which the refusal can be read afterwards. */
  readonly id: string
  readonly dryRun: boolean
  /** The address of the caller, and what was required. */
  readonly address: string | undefined
  readonly requirement: Requirement
}

/** Counts a verdict, and notes a refusal in the log and for those who ask why. A dry run is in the log only. */
export function noteVerdict({ metrics, acting }: RouteParts, found: Verdict, asked: Asked): void {
  const { request, id, dryRun, address, requirement } = asked
  if (!dryRun) metrics.verified(found)
  if (found.ok || found.refusal.code === 'unavailable') return
  const { keyId, refusal } = found
  request.log.info({ outcome: refusal.code, verified: keyId }, 'verified')
  if (dryRun) return
  const route = `POST ${request.routeOptions.url ?? ''}`
  acting(request).noteRefusal?.(found, { requestId: id, route, address, requirement })
}

/** Whether the store or the limiter could not be asked. */
export function isUndecided(found: Verdict): found is Refused {
  return !found.ok && found.refusal.code === 'unavailable'
}

/** The error for a request whose credentials cannot be judged: 503. */
export function cannotTell({ refusal, cause }: Refused, reply: FastifyReply): Error {
  reply.header('retry-after', '1')
  return Object.assign(unavailable(refusal.answer.detail), { cause })
}
