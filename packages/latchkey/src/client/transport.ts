import type { ErrorCode } from '../error.ts'
import { LatchkeyError } from '../error.ts'
import { invalid, longestCredential } from '../options.ts'
import { isThisMachine } from '../this-machine.ts'
import { failureOf } from './problem.ts'
import { queryText } from './query.ts'
import { reasonOf } from './reason.ts'

/** One request to the server. */
interface RequestOptions {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** From the server's address on, with every part of it encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | object | undefined>>
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** Whether it may be sent a second time when the connection fails: a reading call, or one that carries its own id. */
  readonly repeatable?: boolean
  /** Milliseconds until the whole answer must be there; that of the connection if left out. */
  readonly timeout?: number
}

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** Sends requests with the admin key, and takes the answers apart. */
export interface Transport {
  /**
   * The JSON object of an answer of 2xx.
   *
   * @throws LatchkeyError the code of the problem document; `unavailable`, `unexpected_answer`, `admin_key_refused`.
   */
  readonly send: (request: RequestOptions) => Promise<Json>
  /** The same of something that may not be there: `undefined` when the answer is 404 with this code. */
  readonly look: (request: RequestOptions, absent: string) => Promise<Json | undefined>
  readonly close: () => void
}

/** The checked options of the transport. */
export interface TransportOptions {
  readonly url: string
  readonly key: string
  readonly fetch: typeof fetch
  readonly timeout: number
  /** Whether the key may go over http to another machine. */
  readonly insecure: boolean
}

/** A page of a thousand keys with all their metadata has some 25 MB; a larger answer does not come from Latchkey. */
const longestAnswer = 64 * 1024 * 1024

/** How often a call that was sent again is asked for once more while its first sending is still running, a second apart. */
const patience = 4

async function pause(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1100)
  })
}

/** Everything that a header can carry without being changed on the way. */
const sendable = new RegExp(String.raw`^[\x21-\x7e]{1,${longestCredential}}$`)

/**
 * @throws LatchkeyError `invalid_input` for an address or a key that cannot be used. The message repeats neither: the
 *   key may have been put into the address by mistake.
 */
export function openTransport({ url, key, fetch, timeout, insecure }: TransportOptions): Transport {
  const base = checkedBase(url, insecure)
  if (typeof key !== 'string' || !sendable.test(key)) {
    throw new LatchkeyError(
      'invalid_input',
      `key must be an admin key: 1 to ${longestCredential} visible ASCII characters.`,
    )
  }
  if (!Number.isSafeInteger(timeout) || timeout < 1) {
    throw invalid('timeout', 'a whole number of milliseconds from 1')
  }
  let closed = false

  async function once(request: RequestOptions, absent: string | undefined): Promise<Json | undefined> {
    const { method, path, query = {}, headers } = request
    const body = request.body === undefined ? undefined : textOf(request.body)
    const address = new URL(base + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, queryText(name, value))
    }
    const answer = await fetch(address, {
      method,
      // Following a redirect would send the key to the server that the redirect names.
      redirect: 'manual',
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.timeout(request.timeout ?? timeout),
      headers: {
        accept: 'application/json, application/problem+json',
        'x-api-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    })
    const { status } = answer
    if (status >= 300 && status < 400) {
      await answer.body?.cancel()
      throw unexpected(base, 'it answers with a redirect, and redirects are not followed')
    }
    const text = await readAll(answer)
    if (text === undefined) throw unexpected(base, 'its answer is too large')
    const json = objectOf(text)
    if (status === 404 && absent !== undefined && json?.['code'] === absent) return undefined
    if (status >= 400) throw failureOf(base, { status, body: json, retryAfter: answer.headers.get('retry-after') })
    if (json === undefined) throw unexpected(base, 'its answer is not a JSON object')
    return json
  }

  async function sent(request: RequestOptions, absent?: string): Promise<Json | undefined> {
    if (closed) throw new LatchkeyError('unavailable', 'The connection to the server was closed.')
    const most = request.repeatable === true ? 2 : 1
    let lost = false
    for (let attempts = most; ; attempts--) {
      try {
        return await once(request, absent)
      } catch (error) {
        if (error instanceof LatchkeyError) {
          // The call that was lost may still be running, or have been made a moment ago.
          if (!lost || attempts + patience <= 0 || error.code !== 'still_running') throw error
          await pause()
          continue
        }
        lost = true
        // Repeating the request would only add to the load of a slow server.
        const late = (error as Error | undefined)?.name === 'TimeoutError'
        if (attempts > 1 && !late) continue
        throw unreachable(base, late ? `no answer in ${(request.timeout ?? timeout) / 1000} s` : reasonOf(error))
      }
    }
  }

  return {
    look: sent,
    async send(request) {
      return (await sent(request)) ?? {}
    },
    close() {
      closed = true
    },
  }
}

/** The address without its last slash, so that paths can follow. A prefix such as `/latchkey` stays. */
function checkedBase(url: string, insecure: unknown): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  const must = (what: string): LatchkeyError => new LatchkeyError('invalid_input', `url must ${what}.`)
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw must('be the address of a server, such as https://keys.example.com/latchkey')
  }
  if (parsed.username !== '' || parsed.password !== '') throw must('have no user name or password in it')
  if (parsed.search !== '' || parsed.hash !== '') throw must('have no query and no fragment')
  if (parsed.protocol === 'http:' && insecure !== true && !isThisMachine(parsed.hostname)) {
    const otherwise = 'Where the network is encrypted by other means, say insecure: true'
    throw must(`begin with https://: over http the key can be read on its way to another machine. ${otherwise}`)
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, '')
}

/**
 * A body as JSON. A value that JSON cannot express is refused: JSON would write it as `null`, and `null` clears, so an
 * end that was computed wrongly would become "never".
 */
function textOf(body: object): string {
  return JSON.stringify(body, (name, value: unknown) => {
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) {
      throw invalid(name, 'a finite number')
    }
    return value
  })
}

/** The text of a body, or `undefined` if it is larger than any answer of Latchkey. */
async function readAll(answer: Response): Promise<string | undefined> {
  if (answer.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length
    // Leaving the loop cancels the body.
    if (length > longestAnswer) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function objectOf(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

function unreachable(base: string, reason: string): LatchkeyError {
  return new LatchkeyError('unavailable', `The server at ${base} cannot be reached: ${reason}.`)
}

function unexpected(base: string, what: string): LatchkeyError {
  const code: ErrorCode = 'unexpected_answer'
  return new LatchkeyError(code, `What answers at ${base} is not a Latchkey server: ${what}.`)
}
