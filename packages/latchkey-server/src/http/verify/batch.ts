import { bounds, LatchkeyError } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from '../type.ts'
import { failures, json, keepNowhere } from '../route/answers.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { bodyLimits } from '../route/parts.ts'
import { strict } from '../wire.ts'
import { address, credential, dryRun, exampleCredential, mustBeAddress, required, requirementIn } from './question.ts'
import { cannotTell, isUndecided, noteVerdict, sendJson, textOf, verdict } from './verdict.ts'

const requirement = Type.Object(required, { ...strict, title: 'Requirement', description: 'What a key must have' })

const call = Type.Object(
  {
    credential,
    requirement: Type.Optional(requirement),
    address,
  },
  { ...strict, title: 'CallToVerify', description: 'A call; its own requirement replaces the one for all' },
)

const questions = Type.Object(
  {
    calls: Type.Array(call, {
      minItems: 1,
      maxItems: bounds.batch,
      description: 'The calls, in the order to judge them',
    }),
    requirement: Type.Optional(requirement),
    dryRun,
  },
  { ...strict, examples: [{ calls: [{ credential: exampleCredential, address: '192.0.2.7' }] }] },
)

const verdicts = Type.Object({
  verdicts: Type.Array(verdict, { description: 'A verdict for each call, in their order' }),
})

/** The verification of many credentials with one request. */
export function verifyBatchRoute(app: App, parts: RouteParts): void {
  const { guard, acting, keyring } = parts
  const requirementOf = requirementIn(keyring)

  app.post(
    '/v1/verify/batch',
    {
      onRequest: guard.requires('keys:verify'),
      bodyLimit: bodyLimits.batch,
      // Before the validation, which would look at every item of a list that is too long.
      preValidation: async ({ body }) => mustBeShort(body),
      schema: {
        operationId: 'verifyCredentials',
        summary: `Verify up to ${bounds.batch} credentials that your callers sent you`,
        description:
          'Answers a verdict for each call, as `POST /v1/verify` does. Calls are judged in order, and each that is accepted takes its cost from limits and quota.',
        tags: ['Verification'],
        body: questions,
        response: { 200: json('The verdicts', verdicts), ...failures(422) },
      },
    },
    async (request, reply) => {
      const { body } = request
      const forAll = requirementOf(body.requirement ?? {})
      const calls = body.calls.map((one, index) => {
        return inCall(index, () => {
          mustBeAddress(one.address)
          const own = one.requirement === undefined ? forAll : requirementOf(one.requirement)
          return { credential: one.credential, requirement: own, ip: one.address }
        })
      })
      const isDry = body.dryRun === true
      const found = await acting(request).verifyMany(calls, { dryRun: isDry })
      keepNowhere(reply)
      found.forEach((one, index) => {
        const { ip, requirement: asked = forAll } = calls[index] ?? {}
        const id = `${request.id}.${index}`
        noteVerdict(parts, one, { request, id, dryRun: isDry, address: ip, requirement: asked })
      })
      const undecided = found.find(isUndecided)
      // Nothing was spent, so the whole request can be sent again.
      if (undecided !== undefined && !found.some(({ ok }) => ok)) throw cannotTell(undecided, reply)
      if (undecided !== undefined) request.log.error({ err: undecided.cause }, 'some credentials cannot be judged')
      return sendJson(reply, `{"verdicts":[${found.map(textOf).join(',')}]}`)
    },
  )
}

function mustBeShort(body: unknown): void {
  const { calls } = (body ?? {}) as { readonly calls?: unknown }
  if (!Array.isArray(calls) || calls.length <= bounds.batch) return
  const errors = [{ pointer: '/calls', detail: `must have at most ${bounds.batch} items` }]
  throw problem({ status: 422, code: 'invalid_request', detail: 'The body does not fit.', errors })
}

/** Says at which call a mistake is. */
function inCall<Value>(index: number, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error
    throw new LatchkeyError(error.code, `Call ${index + 1}: ${error.message}`)
  }
}
