import { LatchkeyError } from '../error.ts'
import type { RefusedLimit, RefusedRequirement, StoredRefusal } from '../ports.ts'
import type { RefusalCode, Step } from '../refusal.ts'
import { refusals } from '../refusal.ts'

/** What is known of every refused call. */
export interface RefusalFacts {
  /** The id of the request, which its answer names in `instance`; of several calls, the id of the first. */
  readonly requestId: string
  /** When it was refused, in milliseconds since 1970; of several calls, the first. */
  readonly at: number
  /** How many equal calls of one second this is. Of a refusal that is not written yet, 1. */
  readonly count: number
  /** The name of the process that refused: the option `instance`. */
  readonly instance: string
  /** The address of the caller, if it is known. */
  readonly address: string | undefined
  /** The route as it was declared, e.g. `POST /orders/:id`. */
  readonly route: string | undefined
  /** The requirement of the route. */
  readonly requirement: RefusedRequirement | undefined
  /** The step of verify that failed. */
  readonly step: Step
  /** One sentence for those who may know. */
  readonly why: string
  /** The id of the key; `undefined` if the credential belongs to none. */
  readonly keyId: string | undefined
  /** The owner that the key had at that time. */
  readonly owner: string | undefined
  readonly environment: string | undefined
}

/** A call was refused for a scope. */
export interface ScopeRefusalRecord extends RefusalFacts {
  readonly code: 'insufficient_scope'
  /** The scopes that the key lacked; of alternatives, all of them. */
  readonly missing: readonly string[] | undefined
}

/** A call was refused by a limit or the quota. */
export interface LimitRefusalRecord extends RefusalFacts {
  readonly code: 'over_limit' | 'quota_exhausted'
  /** The one that refused the call; of several, the one for which the caller must wait longest. */
  readonly limit: RefusedLimit | undefined
}

/** A call was refused for any other reason. */
export interface PlainRefusalRecord extends RefusalFacts {
  readonly code: Exclude<RefusalCode, (ScopeRefusalRecord | LimitRefusalRecord)['code']>
}

/** Why a call was refused, for those who may know. */
export type RefusalRecord = ScopeRefusalRecord | LimitRefusalRecord | PlainRefusalRecord

/**
 * What is kept of a refusal, for those who may know.
 *
 * @throws LatchkeyError `store_unusable` for a code that is not in the table of refusals.
 */
export function recordOf(kept: Omit<StoredRefusal, 'place'>): RefusalRecord {
  const { requestId, at, count, instance, address, route, requirement, key, owner, environment, missing, limit } = kept
  if (!isCode(kept.code)) {
    const message = `The database holds a refusal with a code that this version does not know, at ${new Date(at).toISOString()}. A newer version has written it, or another program.`
    throw new LatchkeyError('store_unusable', message)
  }
  const code: RefusalCode = kept.code
  const { step, why } = refusals[code]
  const facts: RefusalFacts = {
    requestId,
    at,
    count,
    instance,
    address: address ?? undefined,
    route: route ?? undefined,
    requirement: requirement ?? undefined,
    step,
    why,
    keyId: key || undefined,
    owner: owner || undefined,
    environment: environment || undefined,
  }
  if (code === 'insufficient_scope') return { ...facts, code, missing: missing ?? undefined }
  if (code === 'over_limit' || code === 'quota_exhausted') return { ...facts, code, limit: limit ?? undefined }
  return { ...facts, code }
}

function isCode(code: string): code is RefusalCode {
  return Object.hasOwn(refusals, code)
}
