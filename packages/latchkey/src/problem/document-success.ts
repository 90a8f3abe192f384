import type { RouteOptions } from 'fastify'

/** What is said of an answer of which a route says nothing. `null` is how an answer without a schema is written. */
const unsaid = { description: 'Default Response', type: 'null' }

/**
 * Documents that a route succeeds, where nothing but errors is said of its answers: those that we document would
 * otherwise look as if there were no others. For a route whose `schema.response` is ours, and once Fastify has compiled
 * it (`onReady`): before, it would decide how answers are written.
 */
export function documentSuccess({ schema }: Pick<RouteOptions, 'schema'>): void {
  const response = schema?.response as Record<string, unknown> | undefined
  if (response === undefined || Object.keys(response).some((status) => !/^[45]/.test(status))) return
  response['200'] = unsaid
}
