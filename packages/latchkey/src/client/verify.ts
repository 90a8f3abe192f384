import { LatchkeyError } from '../error.ts'
import { invalid } from '../options.ts'
import type { CallToVerify, VerifyManyOptions } from '../verify/calls.ts'
import { checkCalls } from '../verify/calls.ts'
import type { CheckedRequirement } from '../verify/requirement.ts'
import { checkContext } from '../verify/requirement.ts'
import type { CallContext, Credential, Requirement, Verdict } from '../verify/verdict.ts'
import type { Question, QuestionReader } from './question.ts'
import { unavailable, wireOf } from './question.ts'
import type { Transport } from './transport.ts'
import { verdictFor } from './verdict.ts'

/** The verbs that verify. Neither rejects because of the server or a signal: a verdict that does not arrive is `unavailable`. */
export interface RemoteVerifier<Scope extends string> {
  readonly verify: (
    credential: Credential | string | undefined,
    requirement?: Requirement<Scope>,
    call?: CallContext,
  ) => Promise<Verdict<Scope>>
  readonly verifyMany: (
    calls: readonly CallToVerify<Scope>[],
    options?: VerifyManyOptions<Scope>,
  ) => Promise<readonly Verdict<Scope>[]>
}

/** `verify` and `verifyMany` of a keyring on the other side of the wire. */
export function verifierOver<Scope extends string>(
  { send }: Transport,
  questionOf: QuestionReader,
): RemoteVerifier<Scope> {
  return {
    async verify(presented, required, call = {}) {
      try {
        checkContext(call)
        const { ip, dryRun, seenBy } = call
        // On the server, the admin key decides which keys the answer may describe. The client cannot change that, so it
        // refuses `seenBy`.
        if (seenBy !== undefined) throw invalid('seenBy', 'left out for a keyring on the other side of the wire')
        const question = questionOf({ credential: presented, requirement: required, ip })
        if (question.verdict !== undefined) return question.verdict
        const { credential, address, requirement } = question
        const answer = await send({
          method: 'POST',
          path: '/v1/verify',
          body: { credential, ...wireOf(requirement), address, dryRun },
          // One that spends must not spend twice.
          repeatable: dryRun === true,
        })
        return verdictFor<Scope>(requirement, answer)
      } catch (error) {
        return unavailable(error)
      }
    },

    async verifyMany(calls, options = {}) {
      checkCalls(calls, options)
      const { requirement: forAll, dryRun } = options
      const questions = calls.map(({ credential, requirement = forAll, ip }) =>
        questionOf({ credential, requirement, ip }),
      )
      const asked = questions.filter((question) => question.verdict === undefined)
      const answers = asked.length === 0 ? [] : await verdictsOn(asked, dryRun)
      let next = 0
      return questions.map(({ verdict }) => verdict ?? (answers[next++] as Verdict<Scope>))
    },
  }

  /** The server's verdicts on calls, in their order. */
  async function verdictsOn(
    asked: readonly Question[],
    dryRun: boolean | undefined,
  ): Promise<readonly Verdict<Scope>[]> {
    try {
      const calls = asked.map(({ credential, requirement, address }) => {
        return { credential, requirement: wireOf(requirement), address }
      })
      const { verdicts } = await send({
        method: 'POST',
        path: '/v1/verify/batch',
        body: { calls, dryRun },
        repeatable: dryRun === true,
      })
      if (!Array.isArray(verdicts) || verdicts.length !== asked.length) {
        throw new LatchkeyError('unexpected_answer', 'The answer has not a verdict for each call.')
      }
      return asked.map(({ requirement }, index) => verdictOrUnavailable(requirement, verdicts[index]))
    } catch (error) {
      return asked.map(() => unavailable(error))
    }
  }
}

/** One verdict that cannot be read leaves the others as they are. */
function verdictOrUnavailable<Scope extends string>(requirement: CheckedRequirement, answer: unknown): Verdict<Scope> {
  try {
    return verdictFor<Scope>(requirement, answer)
  } catch (error) {
    return unavailable(error)
  }
}
