import { LatchkeyError } from './error.ts'
import type { Awaitable, Timer } from './ports.ts'

/** The timer of this machine. */
export const systemTimer: Timer = (milliseconds, call, kind) => {
  const timer = setTimeout(call, milliseconds)
  if (kind === 'background') timer.unref()
  return () => clearTimeout(timer)
}

const lateAnswers = new WeakMap<object, Promise<unknown>>()

/** The answer that was given up with this error, as whoever needs it may go on waiting for it; `undefined` for any other error. */
export function lateAnswerOf<Value>(error: unknown): Promise<Value> | undefined {
  return error instanceof LatchkeyError ? (lateAnswers.get(error) as Promise<Value> | undefined) : undefined
}

/** Waits for an answer; `late` is called with an answer that arrives after the wait has been given up. */
type Wait = <Value>(answer: Awaitable<Value>, late?: (value: Value) => Awaitable<void>) => Awaitable<Value>

/**
 * @param what - the beginning of the error's text: what has not happened.
 * @returns a function that answers what it is given, if it comes in so many milliseconds. An answer that is there at once
 *   costs nothing more.
 */
export function within(milliseconds: number, { what, after }: { readonly what: string; readonly after: Timer }): Wait {
  return <Value>(answer: Awaitable<Value>, late?: (value: Value) => Awaitable<void>) => {
    if (!isThenable(answer)) return answer
    // Once: a thenable may repeat its work for each `then`.
    const promised = Promise.resolve(answer)
    return new Promise<Value>((resolve, reject) => {
      const giveUp = (): void => {
        const error = new LatchkeyError('unavailable', `${what} for ${milliseconds / 1000} s.`)
        lateAnswers.set(error, promised)
        reject(error)
        // An error of `late` is dropped: no caller waits for it any more.
        if (late !== undefined) promised.then(late).catch(() => {})
      }
      const stop = after(milliseconds, giveUp)
      promised.finally(stop).then(resolve, reject)
    })
  }
}

/** Whether a value can be waited for, such as a promise of a driver that is none of this realm. */
export function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  if ((typeof answer !== 'object' || answer === null) && typeof answer !== 'function') return false
  return typeof (answer as Partial<PromiseLike<unknown>>).then === 'function'
}
