import type { ActingKey, WhoAmI } from 'latchkey'
import { adminScopes } from 'latchkey'
import { anyKey } from 'latchkey/guard/fastify'
import { delegation } from './keys/values.ts'
import { json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import { Type } from './type.ts'
import type { SchemasOf } from './wire.ts'
import { described, nullable, timestamp } from './wire.ts'

const key = Type.Object({
  id: Type.String({ description: 'The id of the admin key' }),
  name: Type.String({ description: 'Its name' }),
  owner: Type.String({ description: 'Its owner' }),
  expiresAt: nullable(
    described(timestamp, 'When it ends, in milliseconds since 1970 (UTC); null if it does not end by itself'),
  ),
} satisfies SchemasOf<ActingKey>)

const rights = {
  key: nullable(described(key, 'The admin key of this request')),
  allRights: Type.Boolean({
    description: 'Whether all rights are held, as only an application with a keyring of its own holds them: false here',
  }),
  scopes: Type.Array(Type.Enum(Object.keys(adminScopes)), { description: 'What the admin key may do' }),
  environments: Type.Array(Type.String(), { description: 'The environments whose keys it sees' }),
  delegation: nullable(described(delegation, 'What it may give, and the owner whose keys it sees; null if nothing')),
} satisfies SchemasOf<WhoAmI>

/** The rights of the admin key that asks. */
export function whoamiRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/whoami',
    {
      onRequest: guard.requires(anyKey),
      schema: {
        operationId: 'whoami',
        summary: 'Read what the admin key of the request may do',
        description: 'Answers its id, its scopes and its delegation. Any admin key may ask; no scope is needed.',
        tags: ['Keys'],
        response: { 200: json('The admin key and its rights', Type.Object(rights, { title: 'WhoAmI' })) },
      },
    },
    async (request) => acting(request).whoami(),
  )
}
