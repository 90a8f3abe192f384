import type { PublicIdentityKey } from '../identity/key-file.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import { Type } from './type.ts'

const key = Type.Object(
  {
    kty: Type.Literal('OKP', { description: 'Always `OKP`' }),
    crv: Type.Literal('Ed25519', { description: 'Always `Ed25519`' }),
    x: Type.String({ description: 'The public key' }),
    kid: Type.String({ description: 'The id of the key, which identities name' }),
    alg: Type.Literal('EdDSA', { description: 'Always `EdDSA`' }),
    use: Type.Literal('sig', { description: 'Always `sig`' }),
  },
  { title: 'IdentityKey' },
)

/** The keys with which services check identities. */
export function keySetRoute(app: App, { guard }: RouteParts, published: () => readonly PublicIdentityKey[]): void {
  app.get(
    '/.well-known/jwks.json',
    {
      onRequest: guard.open,
      schema: {
        operationId: 'getIdentityKeys',
        summary: 'Read the keys that identities are signed with',
        description:
          'Answers a JSON Web Key Set. A new key is in it for ten minutes before it signs. The set is empty where `LATCHKEY_IDENTITY_FILE` is not set.',
        tags: ['Operation'],
        response: {
          200: json('The keys', Type.Object({ keys: Type.Array(key) }, { title: 'IdentityKeys' })),
          ...failures(400),
        },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=60')
      return { keys: published() }
    },
  )
}
