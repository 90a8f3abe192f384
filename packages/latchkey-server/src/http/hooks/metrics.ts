import { Counter, collectDefaultMetrics, Histogram, Registry } from '@prometheus-io/client'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { AdminScope, Verdict, Verifier } from 'latchkey'
import type { Unrouted } from 'latchkey/problem/fastify'

/** The metrics of one server, and of the process that it is in. */
export interface Metrics {
  /** Counts a verdict. */
  readonly verified: (verdict: Verdict) => void
  /** The same verifier, which also counts its verdicts. */
  readonly counting: (verifier: Verifier<AdminScope>) => Verifier<AdminScope>
  /** A hook for `onResponse`. */
  readonly answered: (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void
  /** Counts an answer that was sent before any hook could run. */
  readonly unrouted: (answer: Unrouted) => void
  readonly contentType: string
  readonly text: () => Promise<string>
}

/** All other methods share one label: a caller must not be able to create labels. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'])

let processRegistry: Registry | undefined

/** Measures the process once, however many servers are opened in it: the timers that do so never end. */
function ofProcess(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry()
    collectDefaultMetrics({ register: processRegistry })
  }
  return processRegistry
}

/** Labels have few values: codes, declared routes, methods, statuses. A key, an owner or a path is never a label. */
export function openMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const verifications = new Counter({
    name: 'latchkey_verifications_total',
    help: 'Verdicts given over HTTP, by outcome: accepted, or the code of the refusal',
    labelNames: ['outcome'],
    registers,
  })
  const requests = new Counter({
    name: 'latchkey_http_requests_total',
    help: 'Requests answered',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'From the head of the request to the end of the answer',
    labelNames: ['route', 'method'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const all = Registry.merge([ofProcess(), registry])

  const verified: Metrics['verified'] = (verdict) => {
    verifications.inc({ outcome: verdict.ok ? 'accepted' : verdict.refusal.code })
  }
  return {
    verified,
    counting: (verifier) => ({
      ...verifier,
      verify(...call) {
        const verdict = verifier.verify(...call)
        if (verdict instanceof Promise) return verdict.then((late) => (verified(late), late))
        verified(verdict)
        return verdict
      },
    }),
    answered(request, reply, done) {
      const route = request.routeOptions.url ?? 'none'
      const method = methodOf(request)
      requests.inc({ route, method, status: String(reply.statusCode) })
      durations.observe({ route, method }, reply.elapsedTime / 1000)
      done()
    },
    unrouted({ method, status }) {
      requests.inc({ route: 'none', method: methodOf({ method }), status: String(status) })
    },
    contentType: all.contentType,
    text: () => all.metrics(),
  }
}

function methodOf({ method }: { readonly method: string | undefined }): string {
  return method !== undefined && methods.has(method) ? method : 'other'
}
