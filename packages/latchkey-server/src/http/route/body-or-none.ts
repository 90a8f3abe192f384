import type { FastifyBodyParser, FastifyContextConfig, FastifyRequest } from 'fastify'

interface Config extends FastifyContextConfig {
  readonly bodyOptional?: boolean
}

/** For the options of a route that needs nothing said: it may be called without a body. */
export const bodyOptional = {
  config: { bodyOptional: true } satisfies Config as FastifyContextConfig,
  preValidation: async (request: FastifyRequest): Promise<void> => {
    request.body ??= {}
  },
}

/** The parser, but that no bytes at all are no body where none is needed: most clients announce JSON in any case. */
export function bodyOrNone(parse: FastifyBodyParser<Buffer>): FastifyBodyParser<Buffer> {
  return (request, bytes, done) => {
    const { bodyOptional: optional } = request.routeOptions.config as Config
    if (bytes.length === 0 && optional === true) done(null, undefined)
    else void parse(request, bytes, done)
  }
}
