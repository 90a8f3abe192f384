import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLevel } from 'fastify'
import { problemResponse } from 'latchkey/problem/fastify'
import { Type } from 'typebox'
import { json } from './answers.ts'
import { unavailable } from './errors.ts'
import type { App, RouteParts } from './routes.ts'

const fine = json('It is', Type.Object({ status: Type.Literal('ok') }))
const notNow = problemResponse('It is not; `detail` says why')

/**
 * What those who run the server look at.
 *
 * @param drainDelay - seconds for which a closing server says that it is not ready, and serves.
 */
export function operationRoutes(app: App, { guard, keyring, metrics }: RouteParts, drainDelay: number): void {
  let draining = false
  app.addHook('preClose', async () => {
    draining = true
    if (drainDelay > 0) await sleep(drainDelay * 1000)
  })

  // Asked every few seconds, for ever: what they answer is worth a line only where it is not what was hoped for.
  const logLevel = (app.log.level === 'info' ? 'warn' : app.log.level) as LogLevel

  app.get(
    '/healthz',
    {
      logLevel,
      onRequest: guard.open,
      schema: { summary: 'Is the process alive?', tags: ['Operation'], response: { 200: fine } },
    },
    async () => ({ status: 'ok' }),
  )

  app.get(
    '/readyz',
    {
      logLevel,
      onRequest: guard.open,
      schema: {
        summary: 'Can it serve and change keys? Asks the store',
        tags: ['Operation'],
        response: { 200: fine, 503: notNow },
      },
    },
    async (_request, reply) => {
      if (draining) {
        reply.header('retry-after', '1')
        throw unavailable('The server is closing.')
      }
      await keyring.ready()
      return { status: 'ok' }
    },
  )

  app.get(
    '/metrics',
    {
      onRequest: guard.requires('metrics:read'),
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        tags: ['Operation'],
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.contentType)
      return metrics.text()
    },
  )
}
