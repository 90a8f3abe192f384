import { Type } from './type.ts'
import type { App, RouteParts } from './route/parts.ts'

/** The metrics, for a monitoring system. */
export function metricsRoutes(app: App, { guard, metrics }: RouteParts): void {
  app.get(
    '/metrics',
    {
      onRequest: guard.requires('metrics:read'),
      schema: {
        operationId: 'getMetrics',
        summary: 'Read the metrics in the text format of Prometheus',
        description: 'Answers counts of requests and verdicts of this process, over all owners together.',
        tags: ['Operation'],
        response: { 200: { description: 'The metrics', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.contentType)
      return metrics.text()
    },
  )
}
