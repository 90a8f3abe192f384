import { LatchkeyError } from '../error.ts'
import type { Json } from './body.ts'
import { jsonObjectOf, readAll } from './body.ts'
import { failureOf } from './problem.ts'
import { reasonOf, wasNeverMade } from './reason.ts'
import type { Failure } from './retry.ts'
import { secondsOf } from './retry.ts'

/** A request that is ready to be sent, as often as need be. */
export interface Exchange {
  readonly fetch: typeof fetch
  /** The address of the server, for messages. */
  readonly base: string
  readonly address: URL
  readonly init: RequestInit & { readonly signal: AbortSignal }
  /** The milliseconds after which the signal ends the request, for messages. */
  readonly timeout: number
  /** The code of an answer of 404 which says that there is no such thing; that is no failure. */
  readonly absent: string | undefined
}

/** What a server has answered. */
export type Answered = { readonly json: Json | undefined; readonly failure?: undefined } | { readonly failure: Failure }

/** Sends a request once. It does not reject. */
export async function exchange({ fetch, base, address, init, timeout, absent }: Exchange): Promise<Answered> {
  let requestId: string | undefined
  const unexpected = (what: string): Answered => {
    const message = `What answers at ${base} is not a Latchkey server: ${what}.`
    return { failure: { error: new LatchkeyError('unexpected_answer', message, { requestId }), fate: 'final' } }
  }
  try {
    const answer = await fetch(address, init)
    const { status, headers } = answer
    if (status >= 200 && status < 300) {
      const text = await readAll(answer)
      const json = text === undefined ? undefined : jsonObjectOf(text)
      if (json !== undefined) return { json }
      requestId = requestIdOf(headers)
      return unexpected(text === undefined ? 'its answer is too large' : 'its answer is not a JSON object')
    }
    requestId = requestIdOf(headers)
    if (status < 400) {
      await answer.body?.cancel()
      return unexpected('it answers with a redirect, and redirects are not followed')
    }
    const text = await readAll(answer)
    if (text === undefined) return unexpected('its answer is too large')
    const body = jsonObjectOf(text)
    if (status === 404 && absent !== undefined && body?.['code'] === absent) return { json: undefined }
    const retryAfter = secondsOf(headers.get('retry-after'), headers.get('date'))
    return { failure: failureOf(base, { status, body, retryAfter, requestId }) }
  } catch (error) {
    // To repeat the request would only add to the load of a slow server.
    const late = init.signal.aborted || (error as Error | undefined)?.name === 'TimeoutError'
    const reason = late ? `no answer in ${timeout / 1000} s` : reasonOf(error)
    const message = `The server at ${base} cannot be reached: ${reason}.`
    const fate = wasNeverMade(error) ? 'undone' : 'lost'
    return { failure: { error: new LatchkeyError('unavailable', message, { requestId }), fate: late ? 'final' : fate } }
  }
}

/** The id that the server gave the request. It is printed in terminals, so it has only visible characters. */
function requestIdOf(headers: Headers): string | undefined {
  const id = headers.get('x-request-id') ?? ''
  return /^[\x21-\x7e]{1,200}$/.test(id) ? id : undefined
}
