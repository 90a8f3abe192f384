import { bounds, invalid, membersOf, objectOf } from '../input.ts'
import type { Credential, Requirement } from './verdict.ts'

/** A call to verify among others. */
export interface CallToVerify<Scope extends string = string> {
  /** What the caller sent; `undefined` when nothing was sent. */
  readonly credential: Credential | string | undefined
  /** The requirement of this call, in place of the one for all. */
  readonly requirement?: Requirement<Scope> | undefined
  /** The caller's address. */
  readonly ip?: string | undefined
}

/** How many calls are verified with one. */
export interface VerifyManyOptions<Scope extends string = string> {
  /** The requirement of every call that has none of its own; any key of the first environment if left out. */
  readonly requirement?: Requirement<Scope> | undefined
  /** Answers as usual, and takes nothing from limits and quotas. */
  readonly dryRun?: boolean | undefined
}

const callMembers = membersOf<CallToVerify>({ credential: true, requirement: true, ip: true })
const optionMembers = membersOf<VerifyManyOptions>({ requirement: true, dryRun: true })

/**
 * Checks the form of a list of calls and its options. Their credentials, requirements and addresses are checked by
 * `verify`, which has a verdict for each.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function checkCalls(calls: readonly CallToVerify[], options: VerifyManyOptions): void {
  objectOf('The options of verifyMany', options, optionMembers)
  if (options.dryRun !== undefined && typeof options.dryRun !== 'boolean') throw invalid('dryRun', 'true or false')
  if (!Array.isArray(calls) || calls.length === 0 || calls.length > bounds.batch) {
    throw invalid('The list of calls', `a list of 1 to ${bounds.batch}`)
  }
  for (const call of calls) objectOf('A call', call, callMembers)
}
