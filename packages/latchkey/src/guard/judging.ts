import { randomUUID } from 'node:crypto'
import type { Awaitable } from '../ports.ts'
import type { Problem } from '../problem/problem.ts'
import { invalid } from '../options.ts'
import { refusals } from '../refusal.ts'
import type { CallContext, Refused, Requirement, Verdict, Verifier } from '../verify/verdict.ts'
import { refusalAnswer } from './answer.ts'
import { connectionMemory } from './connection-memory.ts'
import type { CredentialPlace } from './credential.ts'
import { credentialPlaces, credentialReaders, hasLine, twoCredentials, unreadHeaders } from './credential.ts'

/** A request as it came over the wire: Node's message, or an object that stands for it. */
export interface Message {
  /** The names and values of all header lines in turn. */
  readonly rawHeaders: readonly string[]
  /** The connection, if the platform shows it. */
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
}

/** A log in the form of pino, console and Fastify's own. */
export interface GuardLog {
  /** A caller was refused. */
  readonly info: (entry: object, message: string) => void
  /** Keys cannot be checked. */
  readonly error: (entry: object, message: string) => void
}

/** A refused request, for the log and for `Keyring.refusals`. */
interface RefusedMessage {
  readonly message: Message
  readonly log: GuardLog
  readonly requestId: string
  /** The route as it was declared, e.g. `GET /orders/:id`. */
  readonly route: string
  readonly call: CallContext
  readonly requirement: Requirement
}

/** What all guards do alike. */
export interface Judging<Scope extends string> {
  /** Judges the credential of a message. Never throws or rejects: a verifier that fails is the refusal `unavailable`. */
  readonly judge: (message: Message, requirement: Requirement<Scope>, call: CallContext) => Awaitable<Verdict<Scope>>
  /** The answer to a refused request. */
  readonly answer: (refused: Refused, requestId: string) => RefusalAnswer
  /** Logs and notes a refusal: after the answer, whose time must not depend on what is known of the key. */
  readonly note: (refused: Refused, request: RefusedMessage) => void
}

/** The status, the headers and the document of a refusal. */
interface RefusalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly problem: Problem
}

/** The part of a guard that no framework changes. */
export function judging<Scope extends string>(
  verifier: Verifier<Scope>,
  credential: CredentialPlace = 'header',
): Judging<Scope> {
  if (!credentialPlaces.includes(credential)) throw invalid('credential', 'header, bearer, either or identity')
  const credentialIn = credentialReaders[credential]
  const credentialOn = connectionMemory(verifier.credential?.bind(verifier))
  const unread = unreadHeaders[credential]
  return {
    judge({ rawHeaders, socket }, requirement, call) {
      try {
        const text = credentialIn(rawHeaders)
        if (text === twoCredentials) return { ok: false, refusal: refusals.two_credentials }
        const presented = text === undefined || socket === undefined ? text : credentialOn(socket, text)
        const verdict = verifier.verify(presented, requirement, call)
        return isLate(verdict) ? Promise.resolve(verdict).catch(unavailable) : verdict
      } catch (error) {
        return unavailable(error)
      }
    },
    answer: (refused, requestId) => refusalAnswer(refused, { requestId, credential }),
    note(refused, { message, log, requestId, route, call, requirement }) {
      const { code, step } = refused.refusal
      const entry = { refusal: code, step, keyId: refused.keyId }
      if (refused.cause !== undefined) log.error({ ...entry, err: refused.cause }, 'refused')
      // Explains why a key was ignored: the caller sent it in a header that the guard does not read.
      else if (code === 'missing' && unread !== undefined && hasLine(unread, message.rawHeaders)) {
        log.info({ ...entry, elsewhere: unread }, 'refused')
      } else log.info(entry, 'refused')
      verifier.noteRefusal?.(refused, { requestId, route, address: ipOf(call), requirement })
    },
  }
}

/** Whether a verdict is a promise, of whichever library or realm. */
export function isLate<Value extends object>(value: Awaitable<Value>): value is Promise<Value> {
  return typeof (value as { readonly then?: unknown }).then === 'function'
}

/** An address that cannot be read is none: an application looks it up. */
function ipOf(call: CallContext): string | undefined {
  try {
    return call.ip
  } catch {
    return undefined
  }
}

function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/**
 * All that a verifier learns of a request. It never gets the request itself: it would take a member that an application
 * has put there, such as `dryRun`, for an instruction. A class, so that a call makes only one object, and the address is
 * looked up only for a key that names addresses.
 */
export class RequestCall<Request> implements CallContext {
  readonly #request: Request
  readonly #addressOf: (request: Request) => string | undefined

  constructor(request: Request, addressOf: (request: Request) => string | undefined) {
    this.#request = request
    this.#addressOf = addressOf
  }

  get ip(): string | undefined {
    return this.#addressOf(this.#request)
  }

  // Defined, though always undefined: a missing member would be looked up in the prototype, where any code can put one.
  get dryRun(): undefined {
    return undefined
  }

  get seenBy(): undefined {
    return undefined
  }
}

/** The options of the guards whose frameworks have no request ids and no log. */
export interface GuardOptions<Request> {
  /**
   * Where callers send their keys: `header`, the default, is `X-API-Key`; `bearer` is `Authorization: Bearer`; `either` is
   * one of the two. A request with two credentials is an error everywhere. Give `securitySchemes` the same option.
   */
  readonly credential?: CredentialPlace
  /**
   * Where refusals are logged: `info` for callers, `error` if keys cannot be checked. Left out, the former are not logged,
   * and the latter go to the console. Fits pino.
   */
  readonly log?: GuardLog
  /** The id of a refused request, which its answer names; a random UUID if left out. */
  readonly requestId?: (request: Request) => string
}

/** Used where an application names no log: an operator must learn that keys cannot be checked. */
export const quietLog: GuardLog = {
  info() {},
  error: (entry, message) => console.error(message, entry),
}

/** The default of `GuardOptions.requestId`. */
export function randomId(): string {
  return randomUUID()
}
