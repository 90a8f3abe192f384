import type { RouteOptions } from 'fastify'

/** The response of a route that documents none. Fastify writes a response without a schema with the type `null`. */
const undocumented = { description: 'Default Response', type: 'null' }

/**
 * Documents a success for a route that documents only errors; ours would otherwise look like all its answers. Call it for
 * a route whose `schema.response` is ours, and only after Fastify has compiled that (`onReady`): before, the schema would
 * decide how answers are written.
 */
export function documentSuccess({ schema }: Pick<RouteOptions, 'schema'>): void {
  const response = schema?.response as Record<string, unknown> | undefined
  if (response === undefined || Object.keys(response).some((status) => !/^[45]/.test(status))) return
  response['200'] = undocumented
}
