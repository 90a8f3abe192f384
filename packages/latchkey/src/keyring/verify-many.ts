import { setImmediate as nextTurn } from 'node:timers/promises'
import { LatchkeyError } from '../error.ts'
import type { CallToVerify, VerifyManyOptions } from '../verify/calls.ts'
import { checkCalls } from '../verify/calls.ts'
import type { Verdict, Verifier } from '../verify/verdict.ts'

/** Milliseconds after which other work gets a turn: a quota that is written to a disk takes some for each call. */
const longestTurn = 5

/**
 * The function behind `Keyring.verifyMany`. The calls are judged one after the other, so each spends what the calls before
 * it have left.
 */
export async function verifyMany<Scope extends string>(
  verify: Verifier<Scope>['verify'],
  calls: readonly CallToVerify<Scope>[],
  options: VerifyManyOptions<Scope>,
): Promise<readonly Verdict<Scope>[]> {
  checkCalls(calls, options)
  const { requirement: forAll, dryRun } = options
  const verdicts: Verdict<Scope>[] = []
  let outage: Verdict<Scope> | undefined
  let turn = performance.now()
  for (const { credential, requirement = forAll, ip } of calls) {
    // A store that is gone is waited for once, and not by every call.
    const answer = outage ?? verify(credential, requirement, { ip, dryRun })
    const verdict = answer instanceof Promise ? await answer : answer
    verdicts.push(verdict)
    if (isOutage(verdict)) outage = verdict
    if (performance.now() - turn < longestTurn) continue
    await nextTurn()
    turn = performance.now()
  }
  return verdicts
}

/** Whether the store or the limiter has failed. A requirement that is not understood is the fault of one call only. */
function isOutage<Scope extends string>(verdict: Verdict<Scope>): boolean {
  if (verdict.ok || verdict.refusal.code !== 'unavailable') return false
  const { cause } = verdict
  return !(cause instanceof LatchkeyError) || cause.code === 'unavailable'
}
