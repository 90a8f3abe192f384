import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLevel } from 'fastify'
import { problemResponse } from 'latchkey/problem/fastify'
import { Type } from 'typebox'
import { json } from './route/answers.ts'
import { unavailable } from './route/errors.ts'
import type { App, RouteParts } from './route/parts.ts'

const fine = json('It is', Type.Object({ status: Type.Literal('ok') }))
const notNow = problemResponse('It is not; `detail` says why')

/**
 * What probes ask.
 *
 * @param drainDelay - seconds for which a closing server says that it is not ready, and serves.
 */
export function healthRoutes(app: App, { guard, keyring }: RouteParts, drainDelay: number): void {
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
}
