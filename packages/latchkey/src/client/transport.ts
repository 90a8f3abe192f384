import { LatchkeyError } from '../error.ts'
import { hasMembers, invalid, longestCredential } from '../options.ts'
import type { Clock, Timer } from '../ports.ts'
import { systemTimer } from '../within.ts'
import { checkedBase } from './address.ts'
import type { Json } from './body.ts'
import { textOf } from './body.ts'
import { exchange } from './exchange.ts'
import { queryText } from './query.ts'
import { retryOf } from './retry.ts'
import { userAgent } from './user-agent.ts'

/** One request to the server. */
interface RequestOptions {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** From the server's address on, with every part of it encoded. */
  readonly path: string
  readonly query?: object
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** Whether it may be sent again though it may have been done: a reading call, or one that carries its own id. */
  readonly repeatable?: boolean
  /** Milliseconds that the server may take for it, where the connection's own time is less. */
  readonly takes?: number
}

/** How calls are made. */
export interface CallOptions {
  /** Gives up calls: they reject with the reason of the signal. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for a call, with all that is sent again. */
  readonly timeout?: number | undefined
}

/** Sends requests with the admin key, and takes the answers apart. */
export interface Transport {
  /** The address of the server. */
  readonly base: string
  /**
   * The JSON object of an answer of 2xx.
   *
   * @throws LatchkeyError the code of the problem document; `unavailable`, `unexpected_answer`, `admin_key_refused`.
   */
  readonly send: (request: RequestOptions) => Promise<Json>
  /** The same of something that may not be there: `undefined` when the answer is 404 with this code. */
  readonly look: (request: RequestOptions, absent: string) => Promise<Json | undefined>
  /** The same connection, with other options for calls. */
  readonly with: (call: CallOptions) => Transport
  readonly close: () => void
}

/** How requests are sent. */
export interface TransportOptions extends CallOptions {
  readonly url: string
  readonly key: string
  readonly fetch?: typeof fetch | undefined
  /** How often a call is sent again at most. */
  readonly retries?: number | undefined
  /** Whether the key may go over http to another machine. */
  readonly insecure?: boolean | undefined
  /** Time and chance; those of this machine if left out. */
  readonly waits?: Waits
}

/** What waits between two requests depend on. */
interface Waits extends Pick<Clock, 'monotonic'> {
  readonly after: Timer
  /** A number from 0 up to 1. */
  readonly random: () => number
}

const systemWaits: Waits = {
  monotonic: () => performance.now(),
  after: systemTimer,
  random: Math.random,
}

/** Everything that a header can carry without being changed on the way. */
const sendable = new RegExp(String.raw`^[\x21-\x7e]{1,${longestCredential}}$`)

/** More repetitions than that only add to the load of a server that fails. */
const mostRetries = 10

/**
 * @throws LatchkeyError `invalid_input` for options that cannot be used. The message repeats neither the address nor the
 *   key.
 */
export function openTransport(options: TransportOptions): Transport {
  const { url, key, fetch = globalThis.fetch, insecure = false, retries = 2, waits = systemWaits } = options
  const { monotonic, after, random } = waits
  const base = checkedBase(url, insecure)
  if (typeof key !== 'string' || !sendable.test(key)) {
    throw new LatchkeyError(
      'invalid_input',
      `key must be an admin key: 1 to ${longestCredential} visible ASCII characters.`,
    )
  }
  if (!Number.isSafeInteger(retries) || retries < 0 || retries > mostRetries) {
    throw invalid('retries', `a whole number from 0 to ${mostRetries}`)
  }
  const known = { accept: 'application/json, application/problem+json', 'user-agent': userAgent, 'x-api-key': key }
  let closed = false

  return transportFor(options, false)

  /** @param isExact - whether even a long call has no more than this time. */
  function transportFor({ signal: caller, timeout: most = 5000 }: CallOptions, isExact: boolean): Transport {
    if (!Number.isSafeInteger(most) || most < 1 || most > longestTimeout) {
      throw invalid('timeout', `a whole number of milliseconds from 1 to ${longestTimeout}`)
    }
    if (caller !== undefined) checkSignal(caller)

    async function sent(request: RequestOptions, absent?: string): Promise<Json | undefined> {
      const { repeatable = false, takes = 0 } = request
      const timeout = isExact ? most : Math.max(takes, most)
      const end = monotonic() + timeout
      const time = AbortSignal.timeout(timeout)
      const signal = caller === undefined ? time : AbortSignal.any([caller, time])
      const prepared = { ...ready(request, signal), fetch, base, timeout, absent }
      let wait: ReturnType<typeof retryOf> | undefined
      for (;;) {
        caller?.throwIfAborted()
        if (closed) throw new LatchkeyError('unavailable', 'The connection to the server was closed.')
        const answered = await exchange(prepared)
        if (answered.failure === undefined) return answered.json
        caller?.throwIfAborted()
        wait ??= retryOf({ retries, repeatable, random })
        const milliseconds = wait(answered.failure)
        // Rather the answer that is there than one that can only be late.
        if (milliseconds === undefined || monotonic() + milliseconds >= end) throw answered.failure.error
        await pause(milliseconds, signal)
      }
    }

    return {
      base,
      look: sent,
      async send(request) {
        return (await sent(request)) ?? {}
      },
      with({ signal, timeout }) {
        if (signal !== undefined) checkSignal(signal)
        const both = [caller, signal].filter((one) => one !== undefined)
        const call = { signal: both.length > 1 ? AbortSignal.any(both) : both[0], timeout: timeout ?? most }
        return transportFor(call, isExact || timeout !== undefined)
      },
      close() {
        closed = true
      },
    }
  }

  function ready({ method, path, query = {}, body, headers }: RequestOptions, signal: AbortSignal) {
    if (!hasMembers(query)) throw invalid('The options', 'an object')
    const text = body === undefined ? undefined : textOf(body)
    const address = new URL(base + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, queryText(name, value))
    }
    return {
      address,
      init: {
        method,
        // Following a redirect would send the key to the server that the redirect names.
        redirect: 'manual' as const,
        credentials: 'omit' as const,
        cache: 'no-store' as const,
        signal,
        headers: { ...known, ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(text === undefined ? {} : { body: text }),
      },
    }
  }

  /** Ends early when the signal does. */
  async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    signal.addEventListener('abort', wake)
    const stop = after(milliseconds, wake)
    await promise
    signal.removeEventListener('abort', wake)
    stop()
  }
}

function checkSignal(signal: unknown): void {
  if (!(signal instanceof AbortSignal)) throw invalid('signal', 'an AbortSignal')
}

/** What a timer can wait. */
const longestTimeout = 2_147_483_647
