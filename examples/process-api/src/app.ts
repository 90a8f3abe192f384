import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { OpenKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problem, problemResponse } from 'latchkey/problem/fastify'
import { latchkeyServer } from 'latchkey-server'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import type { Scope } from './keys.ts'
import { buildServer } from './server.ts'

const Process = Type.Object({ status: Type.String({ examples: ['SUCCESS'] }) })
const ProcessResponse = Type.Object(
  { status: Type.String(), id: Type.String({ format: 'uuid' }) },
  { description: 'The task succeeded' },
)

/** The work that the service does, and whether it succeeded: put your own in its place. */
export type Work = (process: Static<typeof Process>) => Promise<boolean>

export function simulatedWork(seconds: number): Work {
  return async ({ status }) => {
    await sleep(seconds * 1000)
    return status === 'SUCCESS'
  }
}

export interface AppOptions {
  readonly keyring: OpenKeyring<Scope>
  readonly work: Work
  readonly logger?: FastifyServerOptions['logger']
}

/** The service: one route, one guard; and beside it, under `/latchkey`, the server that administers its keys. */
export async function buildApp({ keyring, work, logger }: AppOptions): Promise<FastifyInstance> {
  const guard = fastifyGuard(keyring)
  const app = await buildServer({ title: 'API', keyring, guard, logger })

  app.post(
    '/process',
    {
      onRequest: guard.requires('process:run'),
      schema: {
        operationId: 'process',
        summary: 'Process a task',
        description: 'Runs the task and answers when it is done.',
        body: Process,
        response: { 200: ProcessResponse, 500: problemResponse('The task failed') },
      },
    },
    async ({ body }) => {
      if (await work(body)) return { status: 'SUCCESS', id: randomUUID() }
      throw problem({ status: 500, code: 'task_failed', detail: 'Task processing failed' })
    },
  )

  await app.register(latchkeyServer, { prefix: '/latchkey', keyring })
  return app
}
