import responseValidation from '@fastify/response-validation'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import ajvFormats from 'ajv-formats'
import type { FastifyServerOptions } from 'fastify'
import Fastify from 'fastify'
import type { OpenKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import type { FastifyGuard } from 'latchkey/guard/fastify'
import { securitySchemes } from 'latchkey/guard/fastify'
import { plainBodies, problems, securityHeaders, strictJson } from 'latchkey/problem/fastify'
import { docsPolicy, latchkeyServer, serverOptions } from 'latchkey-server'

export interface ServerOptions {
  readonly title: string
  readonly keyring: OpenKeyring
  readonly guard: Pick<FastifyGuard<string>, 'plugin' | 'open' | 'openly'>
  readonly logger: FastifyServerOptions['logger']
}

/**
 * An application without routes of its own, with errors, validation and documents as in FastAPI; and beside it, under
 * `/latchkey`, the server that administers its keys.
 */
export async function buildServer({ title, keyring, guard, logger = false }: ServerOptions) {
  const app = Fastify({
    ...serverOptions,
    ...connectionOptions,
    logger,
    bodyLimit: 64 * 1024,
  })
  // JSON only, in UTF-8 and not compressed: Fastify would also take plain text, and read the others as they are not.
  app.removeAllContentTypeParsers()
  const parse = strictJson(app.getDefaultJsonParser('remove', 'remove'))
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parse)
  app.addHook('preParsing', plainBodies)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(securityHeaders)
    done()
  })

  await app.register(problems)
  await app.register(connections)
  await app.register(guard.plugin)
  // Before the plugins that are for the routes of this service: they would take the routes of that server for them.
  await app.register(latchkeyServer, { prefix: '/latchkey', keyring })
  await app.register(responseValidation, { ajv: { plugins: [ajvFormats.default] } })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      components: { securitySchemes: securitySchemes(keyring) },
    },
  })
  await app.register(guard.openly(swaggerUi), {
    routePrefix: '/docs',
    theme: { title },
    uiConfig: { layout: 'BaseLayout' },
    staticCSP: docsPolicy,
  })
  app.get('/', { onRequest: guard.open, schema: { hide: true } }, (_request, reply) => reply.redirect('/docs'))
  app.get('/openapi.json', { onRequest: guard.open, schema: { hide: true } }, () => app.swagger())
  return app
}
