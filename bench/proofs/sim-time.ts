/** Virtual time: nothing waits, and the same calls come in the same order on every run. */
export interface VirtualTime {
  /** Milliseconds since the run began. */
  now(): number
  /** Calls a function at a time; answers what prevents it. */
  at(time: number, call: () => void): () => void
  /** Runs everything up to a time. */
  run(until: number): Promise<void>
}

interface Event {
  readonly time: number
  readonly number: number
  /** `undefined` once it is prevented. */
  call: (() => void) | undefined
}

/** Makes a virtual time that begins at 0. */
export function virtualTime(): VirtualTime {
  const heap: Event[] = []
  let [now, number] = [0, 0]

  function push(event: Event): void {
    let place = heap.push(event) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (isBefore(heap[parent]!, event)) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = event
  }

  function pop(): Event | undefined {
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(last, heap[child]!)) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = last
    return first
  }

  return {
    now: () => now,
    at(time, call) {
      const event: Event = { time: Math.max(time, now), number: number++, call }
      push(event)
      return () => {
        event.call = undefined
      }
    },
    async run(until) {
      // Whoever called this may have begun something that has not come to its first wait.
      await settledPromises()
      await settledPromises()
      while (heap.length > 0 && heap[0]!.time <= until) {
        const { time, call } = pop()!
        if (call === undefined) continue
        now = time
        call()
        await settledPromises()
      }
      now = until
    },
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.time < other.time || (one.time === other.time && one.number < other.number)
}

/** Resolves when every promise that can be settled without waiting is settled: ticks come after all microtasks. */
async function settledPromises(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
