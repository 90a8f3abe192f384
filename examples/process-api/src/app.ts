import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { OpenKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problem, problemResponse } from 'latchkey/problem/fastify'
import type { Scope } from './keys.ts'
import { buildServer } from './server.ts'

/** The body of a call. */
interface Process {
  readonly status: string
}

const processSchema = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', examples: ['SUCCESS'] } },
}

const answerSchema = {
  type: 'object',
  description: 'The task succeeded',
  required: ['status', 'id'],
  properties: { status: { type: 'string' }, id: { type: 'string', format: 'uuid' } },
}

/** The work that the service does, and whether it succeeded: put your own in its place. */
export type Work = (process: Process) => Promise<boolean>

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

  app.post<{ Body: Process }>(
    '/process',
    {
      onRequest: guard.requires('process:run'),
      schema: {
        operationId: 'process',
        summary: 'Process a task',
        description: 'Runs the task and answers when it is done.',
        body: processSchema,
        response: { 200: answerSchema, 500: problemResponse('The task failed') },
      },
    },
    async ({ body }) => {
      if (await work(body)) return { status: 'SUCCESS', id: randomUUID() }
      throw problem({ status: 500, code: 'task_failed', detail: 'Task processing failed' })
    },
  )
  return app
}
