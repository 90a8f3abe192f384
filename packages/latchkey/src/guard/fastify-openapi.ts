import type { FastifyInstance, RouteOptions } from 'fastify'
import { documentSuccess } from '../problem/document-success.ts'
import type { CredentialPlace } from './credential.ts'
import { declaredBy } from './fastify-hook.ts'
import { documentationOf } from './openapi.ts'

/** Adds to the schema of every declared route what OpenAPI says about its declaration. */
export function documentDeclarations(app: FastifyInstance, credential: CredentialPlace): void {
  const documented: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    const [declared] = declaredBy(route)
    if (declared === undefined) return
    const { security, response } = documentationOf(declared, credential)
    // A response that the route documents itself wins over ours.
    const responses = { ...response, ...(route.schema?.response as object | undefined) }
    const schema: object = {
      ...route.schema,
      security,
      ...(Object.keys(responses).length === 0 ? {} : { response: responses }),
    }
    route.schema = schema
    documented.push(route)
  })
  app.addHook('onReady', async () => documented.forEach(documentSuccess))
}
