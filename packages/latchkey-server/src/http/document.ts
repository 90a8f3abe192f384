import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { RouteOptions } from 'fastify'
import { securitySchemes } from 'latchkey/guard/fastify'
import type { App, RouteParts } from './route/parts.ts'
import { docsPolicy } from './hooks/security.ts'

const description =
  'Issue, verify, change, rotate and revoke API keys, and read the journal of all changes. Every call but the health checks needs an admin key.'

/**
 * The server's own OpenAPI document, and the page that shows it. The routes are hidden from every other document, such as
 * that of an application that mounts the server.
 */
export async function documentRoutes(app: App, { guard, keyring }: RouteParts): Promise<void> {
  const ours = new WeakSet<object>()
  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.schema?.hide === true) return
    ours.add(route)
    const hidden: object = { ...route.schema, hide: true }
    route.schema = hidden
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Latchkey', description, version: '1' },
      servers: [{ url: app.prefix === '' ? '/' : app.prefix }],
      components: { securitySchemes: securitySchemes(keyring.admin) },
    },
    transform: ({ schema, url, route }) => ({
      url,
      schema: ours.has(route) ? { ...schema, hide: false } : { hide: true },
    }),
    transformObject: (found) => ('openapiObject' in found ? named(found.openapiObject) : found.swaggerObject),
  })

  await app.register(guard.openly(swaggerUi), {
    routePrefix: '/docs',
    theme: { title: 'Latchkey' },
    uiConfig: { layout: 'BaseLayout', validatorUrl: null },
    staticCSP: docsPolicy,
  })
  app.get('/openapi.json', { onRequest: guard.open, schema: { hide: true } }, () => app.swagger())
}

/** Leads a browser that opens the server to its documents. */
export function homeRoute(app: App, { guard }: RouteParts): void {
  app.get('/', { onRequest: guard.open, schema: { hide: true } }, (_request, reply) =>
    reply.redirect(`${app.prefix}/docs`),
  )
}

/** Moves every schema with a title to `components` under that name: generated clients then use the name. */
function named<Document extends object>(document: Document): Document {
  const schemas: Record<string, unknown> = {}
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    if ('application/problem+json' in value) return problemReference(value, schemas)
    const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, visit(member)]))
    const { title, type } = copy
    // Only of type object: with the same title, a schema that also takes null is another schema.
    if (typeof title !== 'string' || type !== 'object') return copy
    schemas[title] ??= copy
    return { $ref: `#/components/schemas/${title}` }
  }
  const visited = visit(document) as Document & { components?: object }
  return { ...visited, components: { ...visited.components, schemas } }
}

/** All errors share one schema. It has no title, and is found by its media type. */
function problemReference(content: object, schemas: Record<string, unknown>): object {
  const [media, { schema }] = Object.entries(content)[0] as [string, { schema: unknown }]
  schemas['Problem'] ??= schema
  return { [media]: { schema: { $ref: '#/components/schemas/Problem' } } }
}
