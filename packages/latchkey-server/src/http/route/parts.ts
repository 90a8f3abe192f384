import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { AdminScope, Keyring, OpenKeyring } from 'latchkey'
import type { FastifyGuard } from 'latchkey/guard/fastify'
import type { Metrics } from '../hooks/metrics.ts'
import type { RunOnce } from './once.ts'

/** The application that routes are added to. Bodies and queries have the types of their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** What the routes of every resource need. */
export interface RouteParts {
  readonly keyring: OpenKeyring
  readonly guard: FastifyGuard<AdminScope>
  readonly metrics: Metrics
  /** The keyring as the admin key of a request may use it. The library decides what that key may see and give. */
  readonly acting: (request: FastifyRequest) => Keyring
  /** Runs a change once for each idempotency key. */
  readonly once: RunOnce
}

/**
 * How many bytes a body may have: one key with every field at its bound, many credentials that are each as long as a
 * header can be, or many keys of ordinary size.
 */
export const bodyLimits = { one: 128 * 1024, batch: 4 * 1024 * 1024, many: 8 * 1024 * 1024 }
