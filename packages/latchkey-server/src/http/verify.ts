import { isIP } from 'node:net'
import type { LimitState, Refused, Retiring, Verdict } from 'latchkey'
import { adminEnvironment, adminScopes, bounds, LatchkeyError } from 'latchkey'
import { Type } from 'typebox'
import { verifiedKey } from './keys/bodies.ts'
import { failures, json, keepNowhere } from './route/answers.ts'
import { unavailable } from './route/errors.ts'
import type { App, RouteParts } from './route/parts.ts'
import { bodyLimits } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { described, label, nullable, scope, strict, timestamp } from './wire.ts'

/** Longer than any credential: one that is too long is refused as a credential and not as a body. */
const longestText = 16_384

/** Too short for a secret: its verdict is a refusal. */
const exampleCredential = 'lk_live_2WAx…'

const question = Type.Object(
  {
    credential: Type.String({
      maxLength: longestText,
      description: 'The credential, exactly as the caller sent it',
      examples: [exampleCredential],
    }),
    environment: Type.Optional(
      described(label, 'The environment that the key must belong to; the first one if left out'),
    ),
    scopes: Type.Optional(
      Type.Array(scope, {
        minItems: 1,
        maxItems: bounds.scopes,
        description: 'Scopes of which the key must have all',
        examples: [['orders:read']],
      }),
    ),
    anyOf: Type.Optional(
      Type.Array(scope, {
        minItems: 1,
        maxItems: bounds.scopes,
        description: 'Scopes of which the key must have one',
        examples: [['orders:read', 'orders:write']],
      }),
    ),
    address: Type.Optional(
      Type.String({ maxLength: bounds.label, description: 'The IP address of the caller', examples: ['192.0.2.7'] }),
    ),
    cost: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: bounds.cost,
        description: 'What the call takes from limits and quota; 1 if left out',
      }),
    ),
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Answer what would be, and take nothing from limits and quota' }),
    ),
  },
  { ...strict, examples: [{ credential: exampleCredential, address: '192.0.2.7' }] },
)

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

const callersAnswer = {
  status: Type.Integer({ description: 'The status of your answer' }),
  code: Type.String({ description: 'A code, for programs' }),
  detail: Type.String({ description: 'A sentence, for people' }),
  type: Type.Optional(Type.String({ description: 'The type of the problem, if it is a registered one' })),
} satisfies SchemasOf<Refused['refusal']['answer']>

const verdict = Type.Object(
  {
    valid: Type.Boolean({ description: 'Whether the credential is accepted' }),
    code: Type.String({ description: '`accepted`, or the code of the refusal', examples: ['accepted'] }),
    key: Type.Optional(verifiedKey),
    limits: Type.Optional(
      Type.Array(Type.Object(limitState, { title: 'LimitState' }), {
        description: 'The limits of the key and its owner, and its quota, after this call',
      }),
    ),
    retiring: Type.Optional(
      Type.Object(oldSecret, { description: 'The credential is an old secret of a rotated key' }),
    ),
    step: Type.Optional(Type.String({ description: 'The step of verification that failed' })),
    why: Type.Optional(Type.String({ description: 'Why the credential is refused: for you, not for your caller' })),
    answer: Type.Optional(Type.Object(callersAnswer, { description: 'What you may tell your caller' })),
    keyId: Type.Optional(Type.String({ description: 'The id of the refused key' })),
    owner: Type.Optional(Type.String({ description: 'The owner of the refused key' })),
    environment: Type.Optional(Type.String({ description: 'The environment of the refused key' })),
    retryAfter: Type.Optional(Type.Number({ description: 'In how many seconds the call can be accepted' })),
  },
  { title: 'Verdict' },
)

/** Verification, for services in any language. */
export function verifyRoutes(app: App, { guard, acting, keyring, metrics }: RouteParts): void {
  const known = [...keyring.environments, adminEnvironment]

  app.post(
    '/v1/verify',
    {
      onRequest: guard.requires('keys:verify'),
      bodyLimit: bodyLimits.one,
      schema: {
        operationId: 'verifyCredential',
        summary: 'Verify a credential that your caller sent you',
        description:
          'Answers a verdict: 200 whether the credential is accepted or refused. Takes the cost from limits and quota.',
        tags: ['Verification'],
        body: question,
        response: { 200: json('The verdict', verdict), ...failures(422) },
      },
    },
    async (request, reply) => {
      const { credential, scopes, anyOf, address, cost = 1, dryRun = false } = request.body
      const { environment = known[0] ?? '' } = request.body
      // A requirement that no key can meet is a mistake of this caller, and must not look like a key without the scope.
      if (!known.includes(environment))
        throw invalid('invalid_input', `environment must be one of ${known.join(', ')}.`)
      // Otherwise a key that is bound to addresses would be refused, and any other key accepted.
      if (address !== undefined && isIP(address) === 0) throw invalid('invalid_input', 'address must be an IP address.')
      const declared = environment === adminEnvironment ? adminScopes : keyring.scopes
      const strange = [...(scopes ?? []), ...(anyOf ?? [])].find((one) => !Object.hasOwn(declared, one))
      if (strange !== undefined) throw invalid('unknown_scope', `The scope ${JSON.stringify(strange)} is not declared.`)

      const requirement = {
        environment,
        cost,
        ...(scopes === undefined ? {} : { allOf: scopes }),
        ...(anyOf === undefined ? {} : { anyOf }),
      }
      const view = acting(request)
      const found = await view.verify(credential, requirement, { ip: address, dryRun })
      keepNowhere(reply)
      if (!dryRun) metrics.verified(found)
      if (found.ok) return accepted(found)
      const { cause, refusal } = found
      if (refusal.code === 'unavailable') {
        reply.header('retry-after', '1')
        throw Object.assign(unavailable(refusal.answer.detail), { cause })
      }
      request.log.info({ outcome: refusal.code, verified: found.keyId }, 'verified')
      if (!dryRun) view.noteRefusal?.(request.id, 'POST /v1/verify', found)
      return refused(found)
    },
  )
}

function accepted({ key, limits, retiring }: Extract<Verdict, { ok: true }>): object {
  return { valid: true, code: 'accepted', key, limits, retiring }
}

function refused({ refusal, keyId, owner, environment: of, limits, retryAfter, retiring }: Refused): object {
  const { code, step, why, answer } = refusal
  return { valid: false, code, step, why, answer, keyId, owner, environment: of, limits, retryAfter, retiring }
}

function invalid(code: 'invalid_input' | 'unknown_scope', message: string): Error {
  return new LatchkeyError(code, message)
}
