import type { FastifyReply } from 'fastify'
import type { Verdict } from 'latchkey'
import { Type } from '../type.ts'
import { failures, json, keepNowhere } from '../route/answers.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { bodyLimits } from '../route/parts.ts'
import { strict } from '../wire.ts'
import { address, credential, dryRun, exampleCredential, mustBeAddress, required, requirementIn } from './question.ts'
import { cannotTell, isUndecided, noteVerdict, sendJson, textOf, verdict } from './verdict.ts'

const question = Type.Object(
  { credential, ...required, address, dryRun },
  { ...strict, examples: [{ credential: exampleCredential, address: '192.0.2.7' }] },
)

/** Verification, for services in any language. */
export function verifyRoute(app: App, parts: RouteParts): void {
  const { guard, acting, keyring } = parts
  const requirementOf = requirementIn(keyring)

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
    (request, reply) => {
      const { body } = request
      const requirement = requirementOf(body)
      mustBeAddress(body.address)
      const call = { ip: body.address, dryRun: body.dryRun === true }
      const answer = (found: Verdict): FastifyReply => {
        keepNowhere(reply)
        noteVerdict(parts, found, { request, id: request.id, dryRun: call.dryRun, address: call.ip, requirement })
        if (isUndecided(found)) throw cannotTell(found, reply)
        return sendJson(reply, textOf(found))
      }
      // A verdict that is there at once is sent at once.
      const found = acting(request).verify(body.credential, requirement, call)
      return found instanceof Promise ? found.then(answer) : answer(found)
    },
  )
}
