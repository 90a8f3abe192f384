import { adminScopes } from 'latchkey'
import { Type } from 'typebox'
import { json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'

const catalogue = Type.Record(Type.String(), Type.String())

const description = Type.Object(
  {
    environments: Type.Array(Type.String(), { description: 'The first is the one that keys are issued for' }),
    scopes: catalogue,
    adminScopes: catalogue,
  },
  { title: 'Keyring' },
)

/** What the keyring is: what clients need to know before they ask for anything. */
export function keyringRoutes(app: App, { guard, keyring }: RouteParts): void {
  app.get(
    '/v1/keyring',
    {
      onRequest: guard.requires({ anyOf: ['keys:read', 'keys:verify'] }),
      schema: {
        summary: 'Read the environments and the declared scopes',
        tags: ['Keys'],
        response: { 200: json('The keyring', description) },
      },
    },
    async () => ({ environments: keyring.environments, scopes: keyring.scopes, adminScopes }),
  )
}
