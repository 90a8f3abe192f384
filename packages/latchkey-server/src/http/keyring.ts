import { adminScopes } from 'latchkey'
import { Type } from './type.ts'
import { json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'

const catalogue = Type.Record(Type.String(), Type.String())

const description = Type.Object(
  {
    environments: Type.Array(Type.String(), {
      description: 'The environments of keys; a new key has the first one unless it names another',
      examples: [['live', 'test']],
    }),
    scopes: {
      ...catalogue,
      description: 'The declared scopes and their descriptions',
      examples: [{ 'orders:read': 'Read orders' }],
    },
    adminScopes: {
      ...catalogue,
      description: 'The scopes of admin keys and their descriptions',
      examples: [{ 'keys:read': adminScopes['keys:read'] }],
    },
  },
  { title: 'Keyring' },
)

/** The keyring: its environments and scopes, which a client reads first. */
export function keyringRoutes(app: App, { guard, keyring }: RouteParts): void {
  app.get(
    '/v1/keyring',
    {
      onRequest: guard.requires({ anyOf: ['keys:read', 'keys:verify'] }),
      schema: {
        operationId: 'getKeyring',
        summary: 'Read the environments and the scopes',
        description: 'Answers what keys can be issued for, and the scopes that admin keys have.',
        tags: ['Keys'],
        response: { 200: json('The keyring', description) },
      },
    },
    async () => ({ environments: keyring.environments, scopes: keyring.scopes, adminScopes }),
  )
}
