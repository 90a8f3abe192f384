import type { RefusalDraft } from '../ports.ts'
import { mostIds } from './equal-refusals.ts'

/** Refusals that wait to be written: equal ones of one second are one, with their number. */
export interface WaitingRefusals {
  readonly size: () => number
  readonly add: (refusal: RefusalDraft) => void
  /** Takes out all; or only those of other seconds than that of a time, to which no equal ones can come any more. */
  readonly take: (now?: number) => RefusalDraft[]
}

/** How many wait at most; further ones are lost. */
export interface WaitingBounds {
  /** Of each key: so a noisy one takes no place of the others. */
  readonly perKey: number
  /** Of credentials that belong to no key. */
  readonly strangers: number
  /** Of all together. */
  readonly total: number
}

/** @param bounds - how many wait at most. */
export function waitingRefusals({ perKey, strangers, total }: WaitingBounds): WaitingRefusals {
  const waiting = new Map<string, RefusalDraft>()
  const ofKey = new Map<string, number>()

  function add(refusal: RefusalDraft): void {
    const name = nameOf(refusal)
    const before = waiting.get(name)
    if (before !== undefined) {
      const [first, ...more] = before.requestIds
      const requestIds: RefusalDraft['requestIds'] = [first, ...[...more, ...refusal.requestIds].slice(0, mostIds - 1)]
      waiting.set(name, { ...before, requestIds, count: before.count + refusal.count })
      return
    }
    const { key } = refusal
    const number = ofKey.get(key) ?? 0
    if (waiting.size >= total || number >= (key === '' ? strangers : perKey)) return
    waiting.set(name, refusal)
    ofKey.set(key, number + 1)
  }

  return {
    size: () => waiting.size,
    add,
    take(now) {
      const second = now === undefined ? undefined : secondOf(now)
      const taken: RefusalDraft[] = []
      for (const [name, refusal] of waiting) {
        if (secondOf(refusal.at) === second) continue
        waiting.delete(name)
        ofKey.set(refusal.key, (ofKey.get(refusal.key) ?? 0) - 1)
        if (ofKey.get(refusal.key) === 0) ofKey.delete(refusal.key)
        taken.push(refusal)
      }
      return taken
    },
  }
}

function secondOf(at: number): number {
  return Math.floor(at / 1000)
}

/** The name of equal refusals of one second. */
function nameOf(refusal: RefusalDraft): string {
  const { at, key, owner, environment, code, route, address, requirement, missing, limit } = refusal
  return JSON.stringify([
    secondOf(at),
    key,
    owner,
    environment,
    code,
    route,
    address,
    limit?.name,
    missing,
    requirement,
  ])
}
