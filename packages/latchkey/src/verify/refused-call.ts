import { bounds } from '../input.ts'
import type { RefusalDraft, RefusedRequirement } from '../ports.ts'
import { holdsSecret } from '../secret/find.ts'
import type { RefusedCall, Refused, Requirement } from './verdict.ts'

/** A refusal, noted while its call is answered: nothing is computed then. */
export interface NotedRefusal {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly refused: Refused
  readonly call: RefusedCall
  /** The environment that a requirement asks for if it names none. */
  readonly environment: string
}

/** What is kept of a refusal. It has the id of a key, and nothing of the credential. */
export function draftOf({ at, refused, call, environment: usual }: NotedRefusal, instance: string): RefusalDraft {
  const { refusal, keyId = '', owner = '', environment = '', missing, limit = null } = refused
  const { requestId, route, address, requirement } = call
  return {
    requestIds: [keptId(requestId)],
    at,
    instance,
    address: address === undefined ? null : printable(address, bounds.label),
    route: route === undefined ? null : printable(route, bounds.route),
    requirement: requirement === undefined ? null : requirementOf(requirement, usual),
    code: refusal.code,
    key: keyId,
    owner,
    environment,
    missing: missing === undefined ? null : missing.slice(0, bounds.scopes),
    limit,
    count: 1,
  }
}

/** The id of a request as it is kept. */
export function keptId(requestId: string): string {
  return printable(requestId, bounds.requestId)
}

const known = new WeakMap<Requirement, RefusedRequirement>()

/** Of a route, whose requirement never changes, this is made once. */
function requirementOf(requirement: Requirement, usual: string): RefusedRequirement {
  const found = known.get(requirement)
  if (found !== undefined) return found
  const { allOf, anyOf, environment = usual, cost = 1 } = requirement
  const made = {
    scopes: namesIn(allOf),
    anyOf: namesIn(anyOf),
    environments: typeof environment === 'string' ? [printable(environment, bounds.label)] : namesIn(environment),
    cost: typeof cost === 'number' ? cost : 1,
  }
  if (Object.isFrozen(requirement)) known.set(requirement, made)
  return made
}

/** The names in a list. A requirement that was not understood may have anything in its place. */
function namesIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return []
  return list.slice(0, bounds.scopes).map((name: unknown) => printable(name, bounds.label))
}

/** A text that every database and every terminal takes. Callers may choose it, and put a secret into it. */
function printable(value: unknown, most: number): string {
  const text = String(value)
  if (holdsSecret(text)) return '(a secret)'
  const short = text.slice(0, most)
  return /[\p{Cc}\p{Cs}]/u.test(short) ? short.replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd') : short
}
