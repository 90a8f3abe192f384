import { Type } from '../type.ts'
import { failures, json } from '../route/answers.ts'
import { erased } from '../route/erased.ts'
import { idempotencyHeader } from '../route/once.ts'
import { ifMatch, ifMatchHeader } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { keyPath } from './bodies.ts'

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
          200: json('The key is erased', erased),
          ...failures(404, 409, 412, 422),
        },
      },
    },
    async (request) =>
      once(request, (token) => acting(request).eraseKey(request.params.id, { ...ifMatch(request), ...token })),
  )
}
