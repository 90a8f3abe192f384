import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLevel } from 'fastify'
import { problemResponse } from 'latchkey/problem/fastify'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import { unavailable } from './route/errors.ts'
import type { App, RouteParts } from './route/parts.ts'

const healthy = json(
  'Healthy',
  Type.Object({ status: Type.Literal('ok', { description: 'Always `ok`: anything else is an error' }) }),
)
const ready = json(
  'Ready',
  Type.Object({
    status: Type.Literal('ok', { description: 'Always `ok`: anything else is an error' }),
    limiter: Type.Optional(
      Type.Enum(['shared', 'share'], {
        description:
          'Where limits are counted, if instances share a limiter: for all of them (`shared`), or while it cannot be reached by this one alone, against its part of each limit (`share`)',
      }),
    ),
  }),
)
const notReady = problemResponse('Not ready; `detail` says why')

/**
 * The probes of a supervisor or a load balancer.
 *
 * @param drainDelay - how many seconds a server that is closing says that it is not ready, and still serves.
 */
export function healthRoutes(app: App, { guard, keyring }: RouteParts, drainDelay: number): void {
  let draining = false
  app.addHook('preClose', async () => {
    draining = true
    if (drainDelay > 0) await sleep(drainDelay * 1000)
  })

  // They are asked every few seconds: only a failure is worth a line in the log.
  const logLevel = (app.log.level === 'info' ? 'warn' : app.log.level) as LogLevel

  app.get(
    '/healthz',
    {
      logLevel,
      onRequest: guard.open,
      schema: {
        operationId: 'getHealth',
        summary: 'Check that the process is alive',
        description: 'Answers without asking the store: a supervisor restarts the process if no answer comes.',
        tags: ['Operation'],
        response: { 200: healthy, ...failures(400) },
      },
    },
    async () => ({ status: 'ok' }),
  )

  app.get(
    '/readyz',
    {
      logLevel,
      onRequest: guard.open,
      schema: {
        operationId: 'getReadiness',
        summary: 'Check that keys can be verified and changed',
        description:
          'Asks the store. A limiter that cannot be reached is told and is no reason for a 503: limits go on in shares. A load balancer sends no requests while the answer is 503.',
        tags: ['Operation'],
        response: { 200: ready, ...failures(400), 503: notReady },
      },
    },
    async (_request, reply) => {
      if (draining) {
        reply.header('retry-after', '1')
        throw unavailable('The server is closing.')
      }
      await keyring.ready()
      const { by } = keyring.limiterState() ?? {}
      return { status: 'ok', ...(by === undefined ? {} : { limiter: by }) }
    },
  )
}
