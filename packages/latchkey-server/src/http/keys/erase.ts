import type { Erased } from 'latchkey'
import { Type } from '../type.ts'
import { failures, json } from '../route/answers.ts'
import { idempotencyHeader, repeated } from '../route/once.ts'
import { ifMatch, ifMatchHeader } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import type { SchemasOf } from '../wire.ts'
import { tookMs } from '../wire.ts'
import { keyPath } from './bodies.ts'

const erased = {
  entry: Type.Integer({ description: 'The number of the journal entry that says that it was erased' }),
  cleared: Type.Boolean({
    description:
      'Whether nothing of it is left in the files of the database. False while somebody else reads a state of before: the next call that erases something clears that too',
  }),
  tookMs,
  repeated,
} satisfies SchemasOf<Erased>

/** Erasing a key for good. */
export function erasingRoutes(app: App, { guard, acting, once }: RouteParts): void {
  app.delete(
    '/v1/keys/:id',
    {
      onRequest: guard.requires('keys:erase'),
      schema: {
        operationId: 'eraseKey',
        summary: 'Erase a revoked key for good',
        description:
          'Deletes the key with its secrets and its usage, and empties the journal entries about it, which stay verifiable. Only a revoked key can be erased. No call takes this back.',
        tags: ['Keys'],
        params: keyPath,
        headers: Type.Object({ ...ifMatchHeader, ...idempotencyHeader }),
        response: {
          200: json('The key is erased', Type.Object(erased, { title: 'Erased' })),
          ...failures(404, 409, 412, 422),
        },
      },
    },
    async (request) =>
      once(request, (token) => acting(request).eraseKey(request.params.id, { ...ifMatch(request), ...token })),
  )
}
