import type { RefusalDraft } from '../ports.ts'
import type { NotedRefusal } from './refused-call.ts'
import { draftOf, keptId } from './refused-call.ts'
import type { Requirement } from './verdict.ts'

/** By how many ids of requests a refusal can be found that stands for many. */
export const mostIds = 10

/** Noted refusals that are equal but for the ids of their requests. */
interface Equal {
  readonly first: NotedRefusal
  readonly requestIds: [string, ...string[]]
  count: number
}

type ByRequirement = Map<Requirement | undefined, Equal>

/**
 * What is kept of noted refusals, equal ones of one second added up. That takes equally long for all that a caller is told
 * to be an invalid key; the work that takes longer for a known key happens once for all its refusals. Done for each, the
 * difference could be measured from far away.
 */
export function equalRefusals(noted: readonly NotedRefusal[], instance: string): readonly RefusalDraft[] {
  const together = new Map<string, Map<string, Map<string, ByRequirement>>>()
  const found: Equal[] = []
  for (const one of noted) {
    const { at, refused, call } = one
    const { refusal, keyId = '', owner = '', environment = '', limit } = refused
    const ofKey = inner(inner(together, refusal.code), keyId)
    // A key that changes hands has refusals of two owners in one second, and each sees its own.
    const holder = `${owner}\n${environment}`
    const kind = `${Math.floor(at / 1000)}\n${holder}\n${call.address}\n${call.route}\n${limit?.name}`
    const alike: ByRequirement = inner(ofKey, kind)
    const equal = alike.get(call.requirement)
    if (equal === undefined) {
      const made: Equal = { first: one, requestIds: [call.requestId], count: 1 }
      alike.set(call.requirement, made)
      found.push(made)
    } else {
      equal.count++
      if (equal.requestIds.length < mostIds) equal.requestIds.push(call.requestId)
    }
  }
  return found.map(({ first, requestIds: [id, ...more], count }) => {
    return { ...draftOf(first, instance), requestIds: [keptId(id), ...more.map(keptId)], count }
  })
}

/** The map under a name, made if it does not exist. */
function inner<Key, Inner>(outer: Map<string, Map<Key, Inner>>, name: string): Map<Key, Inner> {
  const found = outer.get(name)
  if (found !== undefined) return found
  const made = new Map<Key, Inner>()
  outer.set(name, made)
  return made
}
