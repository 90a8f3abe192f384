import { malformedResponse, problemResponse } from '../problem/problem.ts'
import type { Verifier } from '../verify/verdict.ts'
import { header } from './credential.ts'
import type { Declaration } from './declaration.ts'

/** The name of the scheme. */
const scheme = 'ApiKey'

/** The OpenAPI documentation of a declared route: `security`, and the responses that the guard can give. */
export function documentationOf(declared: Declaration): {
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly response: Readonly<Record<number, Readonly<Record<string, unknown>>>>
} {
  if (declared === 'open') return { security: [], response: {} }
  const { allOf = [], anyOf = [] } = declared
  // The items of `security` are alternatives; an item needs all its scopes: (a and b) or (a and c). Needs OpenAPI 3.1.
  const alternatives = anyOf.length === 0 ? [allOf] : anyOf.map((scope) => [...allOf, scope])
  return {
    security: alternatives.map((scopes) => ({ [scheme]: scopes })),
    response: {
      400: malformedResponse,
      401: {
        ...problemResponse('The API key is missing or not valid'),
        headers: { 'WWW-Authenticate': { type: 'string', description: 'The header that the API key belongs in' } },
      },
      403: problemResponse('The API key is valid, but not allowed here'),
      429: {
        ...problemResponse('The API key is over a limit, or its quota is spent'),
        headers: {
          'RateLimit-Policy': { type: 'string', description: 'The limits of the key' },
          RateLimit: { type: 'string', description: 'How much of them is left' },
          'Retry-After': {
            type: 'integer',
            description: 'After how many seconds to try again; left out if waiting does not help',
          },
        },
      },
      503: {
        ...problemResponse('API keys cannot be checked at the moment'),
        headers: { 'Retry-After': { type: 'integer', description: 'After how many seconds to try again' } },
      },
    },
  }
}

/**
 * Makes the scheme `ApiKey` for `components.securitySchemes` of an OpenAPI document. Its description has the declared scopes.
 *
 * @example await app.register(swagger, { openapi: { components: { securitySchemes: securitySchemes(keyring) } } })
 */
export function securitySchemes(verifier: Pick<Verifier, 'scopes'>): {
  readonly ApiKey: {
    readonly type: 'apiKey'
    readonly in: 'header'
    readonly name: string
    readonly description: string
  }
} {
  const lines = Object.entries(verifier.scopes).map(([scope, sentence]) => `- \`${scope}\`: ${sentence}`)
  const description = lines.length === 0 ? 'Your API key.' : `Your API key. Keys have scopes:\n\n${lines.join('\n')}`
  return { [scheme]: { type: 'apiKey', in: 'header', name: header, description } }
}
