import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { OpenKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { onUnrouted, plainBodies, problemOptions, problems, strictJson } from 'latchkey/problem/fastify'
import { countRoutes } from './counts.ts'
import { documentRoutes, homeRoute } from './document.ts'
import { healthRoutes } from './health.ts'
import { answerLog, callerLog } from './hooks/answer-log.ts'
import { crossOrigin } from './hooks/cors.ts'
import type { Metrics } from './hooks/metrics.ts'
import { openMetrics } from './hooks/metrics.ts'
import { secured } from './hooks/security.ts'
import { unambiguous } from './hooks/unambiguous.ts'
import { requestValidation } from './hooks/validation.ts'
import { journalRoutes } from './journal.ts'
import { keyringRoutes } from './keyring.ts'
import type { PublicIdentityKey } from '../identity/key-file.ts'
import { keySetRoute } from './key-set.ts'
import { changingRoutes } from './keys/change.ts'
import { erasingRoutes } from './keys/erase.ts'
import { creatingRoutes } from './keys/create.ts'
import { readingRoutes } from './keys/read.ts'
import { metricsRoutes } from './metrics.ts'
import { ownerRoutes } from './owners.ts'
import { refusalRoutes } from './refusals.ts'
import { bodyOrNone } from './route/body-or-none.ts'
import { throwAsProblem } from './route/errors.ts'
import { oneAtATime } from './route/once.ts'
import type { RouteParts } from './route/parts.ts'
import { bodyLimits } from './route/parts.ts'
import { usageSeriesRoutes } from './usage-series.ts'
import { usageRoutes } from './usage.ts'
import { verifyBatchRoute } from './verify/batch.ts'
import { verifyRoute } from './verify/one.ts'
import { whoamiRoutes } from './whoami.ts'
import { whyRoutes } from './why.ts'

/** The options of the server. */
export interface LatchkeyServerOptions {
  /** The keyring that it serves. The application closes it. */
  readonly keyring: OpenKeyring
  /** The origins of web pages that may call the server from a browser; none if left out. */
  readonly corsOrigins?: readonly string[]
  /** Seconds that the application goes on listening after `/readyz` has said no; 0 if left out. */
  readonly drainDelay?: number
  /** Writes a line to the log for every answer: for an application that does not do so itself. */
  readonly logAnswers?: boolean
  /**
   * Redirects `/` to the documents: for an application without a page of its own there. Under a prefix, true if left out.
   */
  readonly home?: boolean
}

/**
 * Options for Fastify's constructor, which no plugin can set. An application that mounts the server makes its Fastify with
 * them; otherwise its errors before any route have another form, and owners with long names cannot be read.
 *
 * @example
 * const app = Fastify(serverOptions)
 * await app.register(latchkeyServer, { prefix: '/latchkey', keyring })
 */
export const serverOptions: typeof problemOptions & Pick<FastifyServerOptions, 'routerOptions'> = {
  ...problemOptions,
  // An owner has up to 120 characters, and each takes up to 12 in a path.
  routerOptions: { maxParamLength: 1440 },
}

/**
 * The server as a Fastify plugin: its routes, guarded by the admin keys of the keyring. It brings everything that it needs,
 * and touches nothing of the application that it is mounted in.
 *
 * @example await app.register(latchkeyServer, { prefix: '/latchkey', keyring })
 */
export async function latchkeyServer(instance: FastifyInstance, options: LatchkeyServerOptions): Promise<void> {
  await wholeServer(instance, { ...options, metrics: openMetrics(), published: () => [] })
}

/** What the whole server shares with its listener for proxies. */
export interface WholeServerOptions extends LatchkeyServerOptions {
  readonly metrics: Metrics
  /** The keys with which services check identities. */
  readonly published: () => readonly PublicIdentityKey[]
}

/** The same server, for the composition root. */
export async function wholeServer(
  instance: FastifyInstance,
  {
    keyring,
    corsOrigins = [],
    drainDelay = 0,
    logAnswers = false,
    home = instance.prefix !== '',
    metrics,
    published,
  }: WholeServerOptions,
): Promise<void> {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>()
  metrics.limiting(() => keyring.limiterState())
  const guard = fastifyGuard(metrics.counting(keyring.admin))
  const parts: RouteParts = {
    keyring,
    guard,
    metrics,
    acting: (request) => keyring.as(guard.keyOf(request)),
    once: oneAtATime((request) => guard.keyOf(request).id),
  }

  app.addHook('onRequest', secured)
  // Before everything that answers: every answer has the id of its request.
  await app.register(problems)
  if (corsOrigins.length > 0) app.addHook('onRequest', crossOrigin(corsOrigins))
  app.addHook('onRequest', unambiguous)
  app.addHook('onResponse', metrics.answered)
  onUnrouted(app, metrics.unrouted)
  app.addHook('preParsing', callerLog(guard))
  if (logAnswers) app.addHook('onResponse', answerLog)
  // Only JSON, whatever else the application reads.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: bodyLimits.one },
    // `__proto__` is an ordinary member in JSON: like every unknown member it is refused by its name, and never copied.
    bodyOrNone(strictJson(app.getDefaultJsonParser('ignore', 'ignore'))),
  )
  app.addHook('preParsing', plainBodies)
  app.setValidatorCompiler(requestValidation())

  await app.register(guard.plugin)
  await documentRoutes(app, parts)
  if (home) homeRoute(app, parts)

  // A scope of its own, so that its error handler runs before the one of the application.
  await app.register(async (scope) => {
    scope.setErrorHandler(throwAsProblem)
    // The schemas of answers are for the document alone: handlers answer with exact objects, and a test compares the two.
    scope.setSerializerCompiler(() => JSON.stringify)
    const routes = scope.withTypeProvider<TypeBoxTypeProvider>()
    readingRoutes(routes, parts)
    creatingRoutes(routes, parts)
    changingRoutes(routes, parts)
    erasingRoutes(routes, parts)
    countRoutes(routes, parts)
    ownerRoutes(routes, parts)
    verifyRoute(routes, parts)
    verifyBatchRoute(routes, parts)
    journalRoutes(routes, parts)
    usageRoutes(routes, parts)
    usageSeriesRoutes(routes, parts)
    refusalRoutes(routes, parts)
    keyringRoutes(routes, parts)
    whoamiRoutes(routes, parts)
    whyRoutes(routes, parts)
    healthRoutes(routes, parts, drainDelay)
    metricsRoutes(routes, parts)
    keySetRoute(routes, parts, published)
  })
}
