import type { FastifyBodyParser, FastifyContextConfig, FastifyRequest } from 'fastify'

interface Config extends FastifyContextConfig {
  readonly bodyOptional?: boolean
}

/** Options of a route that may be called without a body. */
export const bodyOptional = {
  config: { bodyOptional: true } satisfies Config as FastifyContextConfig,
  preValidation: async (request: FastifyRequest): Promise<void> => {
    request.body ??= {}
  },
}

/** Whether a route with this configuration may be called without a body. */
export function isBodyOptional(config: FastifyContextConfig | undefined): boolean {
  return (config as Config)?.bodyOptional === true
}

/** A parser that takes an empty body for none on such a route: most clients send the header of JSON in any case. */
export function bodyOrNone(parse: FastifyBodyParser<Buffer>): FastifyBodyParser<Buffer> {
  return (request, bytes, done) => {
    if (bytes.length === 0 && isBodyOptional(request.routeOptions.config)) done(null, undefined)
    else void parse(request, bytes, done)
  }
}
