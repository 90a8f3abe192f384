import { malformedResponse, problemResponse } from '../problem/problem.ts'
import type { Verifier } from '../verify/verdict.ts'
import { invalid, objectOf } from '../options.ts'
import type { CredentialPlace } from './credential.ts'
import { credentialPlaces, header } from './credential.ts'
import type { Declaration } from './declaration.ts'

/** The names of the schemes of each place. */
const schemes: Readonly<Record<CredentialPlace, readonly ('ApiKey' | 'Bearer')[]>> = {
  header: ['ApiKey'],
  bearer: ['Bearer'],
  either: ['ApiKey', 'Bearer'],
  identity: ['ApiKey'],
}

/** The OpenAPI documentation of a declared route: `security`, and the responses that the guard can give. */
export function documentationOf(
  declared: Declaration,
  credential: CredentialPlace,
): {
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly response: Readonly<Record<number, Readonly<Record<string, unknown>>>>
} {
  if (declared === 'open') return { security: [], response: {} }
  const { allOf = [], anyOf = [] } = declared
  // The items of `security` are alternatives; an item needs all its scopes: (a and b) or (a and c). Needs OpenAPI 3.1.
  const alternatives = anyOf.length === 0 ? [allOf] : anyOf.map((scope) => [...allOf, scope])
  return {
    security: schemes[credential].flatMap((scheme) => alternatives.map((scopes) => ({ [scheme]: scopes }))),
    response: {
      400: malformedResponse,
      401: {
        ...problemResponse('The API key is missing or not valid'),
        headers: { 'WWW-Authenticate': { type: 'string', description: 'Where the API key belongs' } },
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

/** A route, and what it declares. */
export interface DeclaredRoute {
  /** In capital letters; `ALL` is every method. */
  readonly method: string
  /** As the framework writes it, e.g. `/orders/:id`. */
  readonly path: string
  readonly declaration: Declaration
}

/** An OpenAPI document, as far as the guard reads it. */
export interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, object | undefined>>
}

/**
 * The same document, in which each operation of a declared route has the `security` of its declaration, and the guard's
 * answers. An operation's own answers win. What a generator has written as `security` is replaced: most document two
 * requirements as alternatives.
 */
export function documentRoutes<Document extends OpenApiDocument>(
  document: Document,
  routes: readonly DeclaredRoute[],
  credential: CredentialPlace = 'header',
): Document {
  const found = new Map(routes.map((route) => [`${route.method} ${templated(route.path)}`, route.declaration]))
  const paths = Object.entries(document.paths ?? {}).map(([path, item]) => {
    const operations = Object.entries(item ?? {}).map(([method, operation]: [string, unknown]) => {
      const place = templated(path)
      const declared = found.get(`${method.toUpperCase()} ${place}`) ?? found.get(`ALL ${place}`)
      if (declared === undefined || typeof operation !== 'object') return [method, operation]
      const { security, response } = documentationOf(declared, credential)
      const own = (operation as { readonly responses?: object }).responses
      return [method, { ...operation, security, responses: { ...response, ...own } }]
    })
    return [path, Object.fromEntries(operations)]
  })
  return { ...document, paths: Object.fromEntries(paths) }
}

/** A path in one form, however its parameters are written and named: `/orders/:id{[0-9]+}` and `/orders/{order}`. */
function templated(path: string): string {
  return path.replaceAll(/:\w+(?:\{[^/]*\})?\??|\{[^/]*\}/g, '{}').replace(/(?<=.)\/$/, '')
}

/** A security scheme of an OpenAPI document. */
export type SecurityScheme =
  | { readonly type: 'apiKey'; readonly in: 'header'; readonly name: string; readonly description: string }
  | { readonly type: 'http'; readonly scheme: 'bearer'; readonly description: string }

/**
 * Makes the schemes of the guard for `components.securitySchemes` of an OpenAPI document: `ApiKey` for the header
 * `X-API-Key`, `Bearer` for `Authorization: Bearer`. Their description has the declared scopes.
 *
 * @param options - `credential` as the guard has it; `header` if left out.
 * @throws LatchkeyError `invalid_input`.
 *
 * @example await app.register(swagger, { openapi: { components: { securitySchemes: securitySchemes(keyring) } } })
 */
export function securitySchemes(
  verifier: Pick<Verifier, 'scopes'>,
  options: { readonly credential?: CredentialPlace } = {},
): { readonly [Name in 'ApiKey' | 'Bearer']?: SecurityScheme } {
  objectOf('The options of securitySchemes', options, ['credential'])
  const { credential = 'header' } = options
  if (!credentialPlaces.includes(credential)) throw invalid('credential', 'header, bearer, either or identity')
  const lines = Object.entries(verifier.scopes).map(([scope, sentence]) => `- \`${scope}\`: ${sentence}`)
  const description = lines.length === 0 ? 'Your API key.' : `Your API key. Keys have scopes:\n\n${lines.join('\n')}`
  const all = {
    ApiKey: { type: 'apiKey', in: 'header', name: header, description },
    Bearer: { type: 'http', scheme: 'bearer', description },
  } as const
  return Object.fromEntries(schemes[credential].map((name) => [name, all[name]]))
}
