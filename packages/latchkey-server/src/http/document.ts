import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { RouteOptions } from 'fastify'
import { securitySchemes } from 'latchkey/guard/fastify'
import { finished } from './document/finish.ts'
import { docsPolicy } from './hooks/security.ts'
import { isBodyOptional } from './route/body-or-none.ts'
import type { App, RouteParts } from './route/parts.ts'

const description =
  'Issue, verify, change, rotate and revoke API keys, and read the journal of all changes. Every call but the health checks needs an admin key.'

const tags = [
  { name: 'Keys', description: 'The life of keys' },
  { name: 'Owners', description: 'The owners of keys: each can be disabled, and its keys can share limits' },
  { name: 'Verification', description: 'Whether a credential is accepted, for services in any language' },
  { name: 'Journal', description: 'The audit log of all changes' },
  { name: 'Usage', description: 'How often keys were used' },
  { name: 'Refusals', description: 'Why calls were refused' },
  { name: 'Operation', description: 'Health checks and metrics' },
]

/**
 * The server's own OpenAPI document, and the page that shows it. The routes are hidden from every other document, such as
 * that of an application that mounts the server.
 */
export async function documentRoutes(app: App, { guard, keyring }: RouteParts): Promise<void> {
  const ours = new WeakSet<object>()
  const bodyless = new Set<string>()
  app.addHook('onRoute', (route: RouteOptions) => {
    if (route.schema?.hide === true) return
    ours.add(route)
    if (isBodyOptional(route.config)) bodyless.add(String(route.schema?.operationId))
    const hidden: object = { ...route.schema, hide: true }
    route.schema = hidden
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Latchkey', description, version: '1', license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: app.prefix === '' ? '/' : app.prefix }],
      tags,
      components: { securitySchemes: securitySchemes(keyring.admin) },
    },
    transform: ({ schema, url, route }) => ({
      url,
      schema: ours.has(route) ? { ...schema, hide: false } : { hide: true },
    }),
    transformObject: (found) =>
      'openapiObject' in found ? finished(found.openapiObject, { keyring, bodyless }) : found.swaggerObject,
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
