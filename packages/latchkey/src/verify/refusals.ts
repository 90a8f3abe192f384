import { setImmediate as nextTurn } from 'node:timers/promises'
import { bounds as textBounds } from '../input.ts'
import type { RefusalBounds, RefusalDraft, Store } from '../ports.ts'
import { lateAnswerOf } from '../within.ts'
import { equalRefusals } from './equal-refusals.ts'
import { refusalLog } from './refusal-log.ts'
import type { NotedRefusal } from './refused-call.ts'
import { draftOf } from './refused-call.ts'
import type { RefusedCall } from './verdict.ts'
import { waitingRefusals } from './waiting-refusals.ts'

/** Refusals, gathered in memory and written in batches. A refused call never waits for a write. */
export interface Refusals {
  readonly note: (noted: NotedRefusal) => void
  /** One of the latest of this process, written or not; none of what was erased, whoever has erased it. */
  readonly recent: (requestId: string) => Promise<RefusalDraft | undefined>
  /** Something was erased: soon forgets what is remembered of it. Costs nothing now. */
  readonly erased: () => void
  /** Writes what was gathered. Keeps what cannot be written for the next time, and throws the error. */
  readonly flush: () => Promise<void>
  /** Writes a last time and stops writing by itself. */
  readonly close: () => Promise<void>
}

/** Milliseconds between two writes. Another process sees a refusal after two of them at the latest. */
const interval = 1000

/** The same after a write that has failed. */
const pause = 10_000

/** Refusals that are noted and not gathered yet. */
const mostNoted = 1000

/** Refusals that are given to the store at once. It may take some of them and leave the rest. */
const batchSize = 10

/** How many wait while the store cannot be written, or cannot be written quickly enough. */
const waitingBounds = { perKey: 100, strangers: 1000, total: 10_000 }

/** How many of the latest are found in memory. */
const recentSize = 10_000

/**
 * @param instance - the name of this process.
 * @param bounds - how many are kept in the store.
 * @param onError - is called with the error of a write that failed; what was not written is written with the next one.
 */
export function openRefusals({
  store,
  now,
  instance,
  bounds,
  onError,
}: {
  readonly store: Pick<Store, 'recordRefusals' | 'isErasedUse'>
  readonly now: () => number
  readonly instance: string
  readonly bounds: RefusalBounds
  readonly onError: (error: unknown) => void
}): Refusals {
  const log = refusalLog(recentSize)
  const waiting = waitingRefusals(waitingBounds)
  let noted: NotedRefusal[] = []
  let timer: NodeJS.Timeout | undefined
  let forgetting: NodeJS.Timeout | undefined
  let written = Promise.resolve()
  let closed = false

  function gather(): void {
    const gathering = noted
    noted = []
    for (const one of equalRefusals(gathering, instance)) waiting.add(one)
  }

  /** Starts the time to the next write, at the first refusal after a write: a keyring without calls does not wake up. */
  function schedule(delay: number): void {
    if (closed) return
    timer ??= setTimeout(() => {
      timer = undefined
      write({ everything: false }).catch(onError)
    }, delay).unref()
  }

  /** Keeps those for the next time of which a store has said too late that it has not written them. */
  function keep(left: readonly RefusalDraft[]): void {
    for (const unwritten of left) waiting.add(unwritten)
    if (left.length > 0) schedule(interval)
  }

  /** In batches, and between two of them everything else that this process has to do gets its turn. */
  async function writeNow(everything: boolean): Promise<void> {
    gather()
    const due = everything ? waiting.take() : waiting.take(now())
    try {
      while (due.length > 0) {
        const batch = due.slice(0, batchSize)
        const left = await store.recordRefusals(batch, bounds)
        due.splice(0, batch.length - left.length)
        await nextTurn()
      }
    } catch (error) {
      const late = lateAnswerOf<readonly RefusalDraft[]>(error)
      // A store that has not answered yet may still write these, and they must not be written again.
      const doubtful = late === undefined ? [] : due.splice(0, batchSize)
      late?.then(keep, () => keep(doubtful))
      for (const [index, unwritten] of due.entries()) {
        waiting.add(unwritten)
        if (index % mostNoted === mostNoted - 1) await nextTurn()
      }
      schedule(pause)
      throw error
    }
    if (waiting.size() > 0) schedule(interval)
  }

  /** Writes once at a time: a second call waits for the first, and then writes what came after it. */
  async function write({ everything }: { readonly everything: boolean }): Promise<void> {
    const writing = async (): Promise<void> => writeNow(everything)
    written = written.then(writing, writing)
    return written
  }

  async function isErased({ refused: { keyId = '', owner = '' } }: NotedRefusal): Promise<boolean> {
    return keyId !== '' && (await store.isErasedUse({ key: keyId, owner }))
  }

  /** Key by key, and everything else gets its turn in between: thousands may be remembered. */
  async function forgetErased(): Promise<void> {
    const ofKey = Map.groupBy(log.all(), ({ refused: { keyId = '', owner = '' } }) => JSON.stringify([keyId, owner]))
    for (const alike of ofKey.values()) {
      const [first] = alike
      if (first !== undefined && (await isErased(first))) for (const { call } of alike) log.forget(call.requestId)
      await nextTurn()
    }
  }

  return {
    note(one) {
      if (isShort(one.call)) log.add(one)
      // Gathered later, many at once, and for refusals of known and unknown keys alike: what takes longer for one of them
      // must not be done while somebody can measure it.
      if (noted.push(one) === mostNoted) gather()
      schedule(interval)
    },
    async recent(requestId) {
      const found = log.find(requestId)
      // Asked for anew each time: another process may have erased it, of which this one is told with the next call only.
      if (found === undefined || (await isErased(found))) return undefined
      return draftOf(found, instance)
    },
    erased() {
      if (closed) return
      // An owner is erased key by key: all of them are forgotten together.
      forgetting ??= setTimeout(() => {
        forgetting = undefined
        forgetErased().catch(onError)
      }, interval).unref()
    },
    flush: async () => write({ everything: true }),
    async close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(forgetting)
      await write({ everything: true })
    },
  }
}

/**
 * Whether the texts that a caller may choose are as short as the store keeps them. Ten thousand that are as long as headers
 * may be would take hundreds of megabytes.
 */
function isShort({ requestId, address = '' }: RefusedCall): boolean {
  return !(requestId.length > textBounds.requestId || address.length > textBounds.label)
}
