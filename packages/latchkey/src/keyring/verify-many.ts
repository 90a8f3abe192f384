import { setImmediate as nextTurn } from 'node:timers/promises'
import { LatchkeyError } from '../error.ts'
import type { CallToVerify, VerifyManyOptions } from '../verify/calls.ts'
import { checkCalls } from '../verify/calls.ts'
import type { Verdict, Verifier } from '../verify/verdict.ts'

/** Milliseconds after which other work gets a turn: a quota that is written to a disk takes some for each call. */
const longestTurn = 5

/** Milliseconds that all calls together wait for a store or a limiter that fails. */
const longestOutage = 2000

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
  let waited = 0
  let turn = performance.now()
  for (const { credential, requirement = forAll, ip } of calls) {
    const began = performance.now()
    // A store that is gone is not waited for by every call. One that fails at once is asked anew: it may fail this call only.
    const answer = outage ?? verify(credential, requirement, { ip, dryRun })
    const verdict = answer instanceof Promise ? await answer : answer
    verdicts.push(verdict)
    if (outage === undefined && isOutage(verdict)) {
      waited += performance.now() - began
      if (waited >= longestOutage) outage = verdict
    }
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
