import { isIP } from 'node:net'
import type { Refused, Verdict } from 'latchkey'
import { adminEnvironment, adminScopes, bounds, LatchkeyError } from 'latchkey'
import { Type } from 'typebox'
import { failures, json, keepNowhere } from './route/answers.ts'
import { unavailable } from './route/errors.ts'
import type { App, RouteParts } from './route/parts.ts'
import { bodyLimits } from './route/parts.ts'
import { environment, moment, nullable, scope } from './wire.ts'

/** Longer than any credential, so that what is too long for one is told so and not refused as a body. */
const longestText = 16_384

const question = Type.Object(
  {
    credential: Type.String({ maxLength: longestText, description: 'What the caller sent, as it is' }),
    environment: Type.Optional(environment),
    scopes: Type.Optional(
      Type.Array(scope, { minItems: 1, maxItems: bounds.scopes, description: 'The key must have all of them' }),
    ),
    anyOf: Type.Optional(
      Type.Array(scope, { minItems: 1, maxItems: bounds.scopes, description: 'The key must have one of them' }),
    ),
    address: Type.Optional(Type.String({ maxLength: 64, description: "The caller's address" })),
    cost: Type.Optional(Type.Integer({ minimum: 0, maximum: bounds.cost, description: '1 if left out' })),
    dryRun: Type.Optional(Type.Boolean({ description: 'Says what would be, and spends nothing' })),
  },
  { additionalProperties: false },
)

const verifiedKey = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    owner: Type.String(),
    environment: Type.String(),
    scopes: Type.Array(Type.String(), { description: 'Expanded: without wildcards' }),
    metadata: Type.Record(Type.String(), Type.String()),
    expiresAt: nullable(moment),
    delegation: nullable(
      Type.Object({
        owner: nullable(Type.String()),
        environments: Type.Array(Type.String()),
        scopes: Type.Array(Type.String()),
      }),
    ),
  },
  { title: 'VerifiedKey' },
)

const limitState = Type.Object(
  {
    name: Type.String(),
    limit: Type.Number(),
    window: nullable(Type.Number({ description: 'Seconds' })),
    remaining: Type.Number(),
    reset: nullable(Type.Number({ description: 'Seconds until there is more' })),
    exceeded: Type.Boolean(),
    reportOnly: Type.Boolean({ description: 'It refuses nobody' }),
  },
  { title: 'LimitState' },
)

const verdict = Type.Object(
  {
    valid: Type.Boolean(),
    code: Type.String({ description: '`accepted`, or the code of the refusal' }),
    key: Type.Optional(verifiedKey),
    limits: Type.Optional(Type.Array(limitState)),
    retiring: Type.Optional(
      Type.Object({ since: moment, until: moment }, { description: 'The secret is an old one, and works until then' }),
    ),
    step: Type.Optional(Type.String({ description: 'The step of verification that failed' })),
    why: Type.Optional(Type.String({ description: 'For you, not for your caller' })),
    answer: Type.Optional(
      Type.Object(
        {
          status: Type.Integer(),
          code: Type.String(),
          detail: Type.String(),
          type: Type.Optional(Type.String()),
        },
        { description: 'What your caller may be told' },
      ),
    ),
    keyId: Type.Optional(Type.String()),
    owner: Type.Optional(Type.String()),
    environment: Type.Optional(Type.String()),
    retryAfter: Type.Optional(Type.Number({ description: 'Seconds' })),
  },
  { title: 'Verdict' },
)

/** Verification for callers in any language. */
export function verifyRoutes(app: App, { guard, acting, keyring, metrics }: RouteParts): void {
  const known = [...keyring.environments, adminEnvironment]

  app.post(
    '/v1/verify',
    {
      onRequest: guard.requires('keys:verify'),
      bodyLimit: bodyLimits.one,
      schema: {
        summary: 'Verify a credential that somebody presented to you',
        tags: ['Verification'],
        body: question,
        response: { 200: json('The verdict', verdict), ...failures(422) },
      },
    },
    async (request, reply) => {
      const { credential, scopes, anyOf, address, cost = 1, dryRun = false } = request.body
      const { environment: wanted = known[0] ?? '' } = request.body
      // A demand that no key can meet is a mistake of who asks, and must not look like a key that lacks a scope.
      if (!known.includes(wanted)) throw invalid('invalid_input', `environment must be one of ${known.join(', ')}.`)
      // A key that is bound to addresses would be refused for it, and one that is not accepted.
      if (address !== undefined && isIP(address) === 0) throw invalid('invalid_input', 'address must be an IP address.')
      const declared = wanted === adminEnvironment ? adminScopes : keyring.scopes
      const strange = [...(scopes ?? []), ...(anyOf ?? [])].find((one) => !Object.hasOwn(declared, one))
      if (strange !== undefined) throw invalid('unknown_scope', `The scope ${JSON.stringify(strange)} is not declared.`)

      const demand = {
        environment: wanted,
        cost,
        ...(scopes === undefined ? {} : { allOf: scopes }),
        ...(anyOf === undefined ? {} : { anyOf }),
      }
      const view = acting(request)
      const found = await view.verify(credential, demand, { ip: address, dryRun })
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
