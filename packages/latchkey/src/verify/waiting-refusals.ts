import type { RefusalDraft } from '../ports.ts'

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

/** By how many ids of requests a refusal can be found that stands for many. */
const mostIds = 10

/** @param bounds - how many wait at most. */
export function waitingRefusals({ perKey, strangers, total }: WaitingBounds): WaitingRefusals {
  let waiting = new Map<string, RefusalDraft>()
  let ofKey = new Map<string, number>()

  function add(refusal: RefusalDraft): void {
    const name = nameOf(refusal)
    const before = waiting.get(name)
    if (before !== undefined) {
      const requestIds: RefusalDraft['requestIds'] =
        before.requestIds.length < mostIds ? [...before.requestIds, ...refusal.requestIds] : before.requestIds
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
      const all = [...waiting.values()]
      waiting = new Map()
      ofKey = new Map()
      if (now === undefined) return all
      const second = secondOf(now)
      for (const refusal of all) if (secondOf(refusal.at) === second) add(refusal)
      return all.filter(({ at }) => secondOf(at) !== second)
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
