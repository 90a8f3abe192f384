/**
 * @module Every error of a Fastify application as a problem document (RFC 9457). It needs no keyring, and the guard does not
 * need it.
 */

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type {
  FastifyBodyParser,
  FastifyError,
  FastifyHttpOptions,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RouteOptions,
  preParsingHookHandler,
} from 'fastify'
import { hasBody } from '../connection/unread-body.ts'
import { isAmbiguous } from './ambiguous.ts'
import { documentSuccess } from './document-success.ts'
import { hasEachNameOnce, repeatedMember, utf8Text } from './json-text.ts'
import type { ProblemOptions } from './problem.ts'
import { malformedResponse, problemDocument, problemMediaType, problemResponse, reasonOf } from './problem.ts'
import { makeRequestId, sendRequestId } from './request-id.ts'
import { securityHeaders } from './security.ts'
import {
  answerBrokenRequest,
  answerConnect,
  answerUnmetExpectation,
  brokenRequest,
  noteUnrouted,
  onUnrouted,
} from './unrouted.ts'
import { faultOf, shortened } from './validation-fault.ts'

export { onUnrouted, problemResponse, repeatedMember, securityHeaders }
export type { Fault, Problem, ProblemOptions } from './problem.ts'
export type { Unrouted } from './unrouted.ts'

const notFound: ProblemOptions = { status: 404, code: 'not_found', detail: 'There is nothing at this path.' }

const undecodable = badRequest('The path is not well-formed.')

/** The status, code and sentence for what Fastify itself finds wrong with a request, by its error code. */
const frameworkProblems: Readonly<Record<string, ProblemOptions>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: mediaType(),
  FST_ERR_CTP_INVALID_TYPE: mediaType(),
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, code: 'body_too_large', detail: 'The body is too large.' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: badRequest('The body is not as long as Content-Length says.'),
  FST_ERR_CTP_EMPTY_JSON_BODY: invalidJson(),
  FST_ERR_CTP_INVALID_JSON_BODY: invalidJson(),
  FST_ERR_BAD_URL: undecodable,
  // Thrown by @fastify/static for a path out of its folder or to no file. Callers must not learn what is there.
  FST_STATIC_FORBIDDEN_PATH: notFound,
  FST_ERR_MAX_PARAM_LENGTH: badRequest('A part of the path is too long.'),
}

/** The most faults that one answer names. */
const mostFaults = 100

const internal: ProblemOptions = { status: 500, code: 'internal', detail: 'Something went wrong on our side.' }

/** Carries a problem from the code that throws it to the error handler. */
class ProblemError extends Error {
  readonly statusCode: number
  readonly problem: ProblemOptions

  constructor(options: ProblemOptions) {
    super(options.detail)
    this.name = 'ProblemError'
    this.statusCode = options.status
    this.problem = options
  }
}

/**
 * Makes an error to throw from a handler: the caller gets it as a problem document, with this status, code and detail.
 *
 * @throws RangeError for a status that is not one of an error, 400 to 599.
 *
 * @example
 * app.post('/process', { onRequest: requires('orders:write') }, () => {
 *   throw problem({ status: 500, code: 'task_failed', detail: 'Task processing failed' })
 * })
 */
export function problem(options: ProblemOptions): Error {
  if (!Number.isInteger(options.status) || options.status < 400 || options.status > 599) {
    throw new RangeError('The status of a problem is a whole number from 400 to 599.')
  }
  return new ProblemError(options)
}

/**
 * Options for Fastify's constructor, which no plugin can set. With them also those errors are problem documents that come
 * before any route: requests that are not HTTP or never end, and paths that cannot be decoded. Ids of requests are UUIDs,
 * and bodies are validated as they are: a number is not taken for a string, and every fault is named.
 *
 * @example const app = Fastify({ ...problemOptions, logger: true })
 */
export const problemOptions: Pick<
  FastifyHttpOptions<Server>,
  | 'genReqId'
  | 'onProtoPoisoning'
  | 'onConstructorPoisoning'
  | 'ajv'
  | 'frameworkErrors'
  | 'clientErrorHandler'
  | 'requestTimeout'
  | 'http'
> = {
  genReqId: makeRequestId,
  // `__proto__` is an ordinary JSON member; treat it like any undeclared property.
  onProtoPoisoning: 'remove',
  onConstructorPoisoning: 'remove',
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
  frameworkErrors: (error, request, reply) => {
    // No hook runs for these errors, of any plugin.
    reply.headers(securityHeaders)
    sendRequestId(request, reply)
    answerError(error, request, reply)
    const { server, method, ip } = request
    // The log of the server: the log of the request would write the id twice.
    noteUnrouted(server, { status: reply.statusCode, method, address: ip, id: request.id })
  },
  clientErrorHandler(error, socket) {
    // Fastify calls this function on the application, which its types do not say.
    answerBrokenRequest(this as unknown as FastifyInstance, error, socket)
  },
  // The time for a request and its body; Fastify would wait without end.
  requestTimeout: 30_000,
  http: {
    // Node's own answer to a missing Host would have no body; `isAmbiguous` refuses it.
    requireHostHeader: false,
    // Node would let half a request hold a connection for a minute.
    headersTimeout: 5000,
    connectionsCheckingInterval: 1000,
  },
}

/* oxlint-disable eslint/max-params -- the signature is Fastify's */

/**
 * A `preParsing` hook for applications that decode no bodies: a body that is compressed, or in another charset than UTF-8,
 * is answered 415.
 *
 * @example app.addHook('preParsing', plainBodies)
 */
export const plainBodies: preParsingHookHandler = (request, reply, payload, done) => {
  const { 'content-encoding': coding = 'identity', 'content-type': type = '' } = request.headers
  if (type === 'application/json' && coding === 'identity') return done(null, payload)
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1] ?? 'utf-8'
  const isPlain = coding.toLowerCase() === 'identity'
  if (!hasBody(request.raw) || (isPlain && /^(?:utf-?8|us-ascii)$/i.test(charset))) {
    done(null, payload)
    return
  }
  // So the caller knows that the coding is refused, and not the media type (RFC 9110 15.5.16).
  if (!isPlain) reply.header('accept-encoding', 'identity')
  done(problem({ ...mediaType(), detail: 'Send the body as it is, in UTF-8.' }))
}

/* oxlint-enable eslint/max-params */

/**
 * Makes a parser of JSON bodies that answers 400 to a body which could be read in two ways: bytes that are not UTF-8, and
 * members that an object has twice.
 *
 * @param parse - Fastify's own parser, or another one that takes a text.
 *
 * @example
 * const parse = strictJson(app.getDefaultJsonParser('remove', 'remove'))
 * app.removeContentTypeParser('application/json')
 * app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parse)
 */
export function strictJson(parse: FastifyBodyParser<string>): FastifyBodyParser<Buffer> {
  return (request, bytes, done) => {
    const text = utf8Text(bytes)
    if (text === undefined) return done(problem({ ...invalidJson(), detail: 'The body is not in UTF-8.' }))
    void parse(request, text, (error, value: unknown) => {
      if (error !== null) return done(error)
      const pointer = hasEachNameOnce(text, value) ? undefined : repeatedMember(text)
      if (pointer === undefined) return done(null, value)
      const errors = [{ pointer: shortened(pointer), detail: 'is given more than once' }]
      done(problem({ ...invalidJson(), detail: 'A member is given more than once.', errors }))
    })
  }
}

/**
 * The plugin that makes every error of an application a problem document (RFC 9457). Register it, with `await`, before the
 * first route.
 *
 * - An unknown path is 404, another method on a known path 405 with `Allow`.
 * - A body that is not JSON is 400, one of another media type 415, one that is too large 413.
 * - A body that does not fit its schema is 422, and each fault is named by a JSON Pointer.
 * - What a handler throws by accident is 500, and says nothing of itself outside the log.
 *
 * Routes with a body are documented with these answers. Every answer has the id of its request in `X-Request-Id`: the id
 * that is in the log and in the `instance` of a problem. `connections` of `latchkey/connection/fastify` decides how connections
 * end, and this plugin does not.
 *
 * @example await app.register(problems)
 */
export async function problems(app: FastifyInstance): Promise<void> {
  const documented: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    if (route.schema?.body !== undefined && route.schema.body !== null) {
      const response = (route.schema.response ?? {}) as Record<string, unknown>
      route.schema = { ...route.schema, response: { ...bodyResponses, ...response } }
      documented.push(route)
    }
  })
  app.addHook('onReady', async () => documented.forEach(documentSuccess))

  app.addHook('onRequest', (request, reply, done) => {
    sendRequestId(request, reply)
    if (isAmbiguous(request.raw)) answer(reply, brokenRequest(undefined))
    else done()
  })

  // HTTP/2 has an answer of its own.
  if (app.initialConfig.http2 !== true && app.server.listenerCount('connect') === 0) {
    app.server.on('connect', (_request, socket: Socket) => answerConnect(app, socket))
  }
  if (app.server.listenerCount('checkExpectation') === 0) {
    app.server.on('checkExpectation', (request, response) => answerUnmetExpectation(app, request, response))
  }

  app.setErrorHandler<FastifyError>((error, request, reply) => {
    // A path without a route takes no body, so a fault of the body does not matter.
    return request.is404 && problemOfError(error).status < 500
      ? answerNotFound(request, reply)
      : answerError(error, request, reply)
  })

  app.setNotFoundHandler(answerNotFound)

  function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // The router does not decode the path if no route has the method.
    if (!isDecodable(request.url)) return answer(reply, undecodable)
    const allowed = methodsAt(request.url)
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return answer(reply, notFound)
    }
    reply.header('allow', allowed.join(', '))
    return answer(reply, {
      status: 405,
      code: 'method_not_allowed',
      detail: `This path takes ${allowed.join(', ')}.`,
    })
  }

  /** The methods that the router has a route for at a path. */
  function methodsAt(url: string): readonly string[] {
    return app.supportedMethods.filter((method) => app.findRoute({ method, url }) !== null).toSorted()
  }
}

// Fastify would give the plugin a scope of its own; `skip-override` applies its hooks to the application that registers it.
Object.assign(problems, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'problems' })

const bodyResponses = {
  400: malformedResponse,
  413: problemResponse('The body is too large'),
  415: problemResponse('The body has a media type that is not accepted'),
  422: problemResponse('The body does not fit; `errors` names each fault by JSON Pointer'),
}

function isDecodable(url: string): boolean {
  try {
    decodeURI(url.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const options = problemOfError(error)
  // Only our own faults are logged with their error: the message of another one may quote what the caller sent.
  if (options.status >= 500) request.log.error({ err: error }, 'request failed')
  return answer(reply, options)
}

function problemOfError(error: FastifyError | null | undefined): ProblemOptions {
  if (error instanceof ProblemError) return error.problem
  // Anything can be thrown.
  if (error === null || error === undefined) return internal
  const known = frameworkProblems[error.code]
  if (known !== undefined) return known
  const status = error.statusCode ?? 500
  // An answer of ours that does not fit its schema has `validation` too, and is not the caller's fault.
  if (error.validation !== undefined && status < 500) {
    const errors = error.validation.slice(0, mostFaults).map(faultOf)
    return {
      status: 422,
      code: 'invalid_request',
      detail: `The ${error.validationContext ?? 'request'} does not fit.`,
      errors,
    }
  }
  if (!(status >= 400 && status < 500)) return internal
  // Only Fastify's own messages are written for callers.
  const detail =
    (error.code as string | undefined)?.startsWith('FST_') === true ? error.message : `${reasonOf(status)}.`
  return { status, code: 'bad_request', detail }
}

function answer(reply: FastifyReply, options: ProblemOptions): FastifyReply {
  const document = problemDocument(options, reply.request.id)
  // As text, so that no response schema of the route can take a member out of it.
  return reply.code(options.status).type(problemMediaType).send(JSON.stringify(document))
}

function badRequest(detail: string): ProblemOptions {
  return { status: 400, code: 'bad_request', detail }
}

function invalidJson(): ProblemOptions {
  return { status: 400, code: 'invalid_json', detail: 'The body is not JSON.' }
}

function mediaType(): ProblemOptions {
  return { status: 415, code: 'unsupported_media_type', detail: 'Send the body as application/json.' }
}
