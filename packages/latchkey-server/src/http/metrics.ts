import { Type } from 'typebox'
import type { App, RouteParts } from './route/parts.ts'

/** What a monitoring system collects. */
export function metricsRoutes(app: App, { guard, metrics }: RouteParts): void {
  app.get(
    '/metrics',
    {
      onRequest: guard.requires('metrics:read'),
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        tags: ['Operation'],
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => {
      reply.type(metrics.contentType)
      return metrics.text()
    },
  )
}
