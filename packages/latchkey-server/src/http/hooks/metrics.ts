import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { AdminScope, LimiterState, Verdict, Verifier } from 'latchkey'
import type { Unrouted } from 'latchkey/problem/fastify'

/** The metrics of one server, and of the process that it is in. */
export interface Metrics {
  /** Counts a verdict. */
  readonly verified: (verdict: Verdict) => void
  /** The same verifier, which also counts its verdicts. */
  readonly counting: (verifier: Verifier<AdminScope>) => Verifier<AdminScope>
  /** Measures the limiter that instances share, if there is one. */
  readonly limiting: (state: () => LimiterState | undefined) => void
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
  let limiter: () => LimiterState | undefined = () => undefined
  measureLimiter(() => limiter(), registers)
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
    limiting(state) {
      limiter = state
    },
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

/** Measured when it is asked for. */
function measureLimiter(state: () => LimiterState | undefined, registers: Registry[]): void {
  const alone: Gauge = new Gauge({
    name: 'latchkey_limiter_alone',
    help: '1 while the limiter that instances share cannot be reached, so that this one counts alone',
    registers,
    collect() {
      alone.set(Number(state()?.by === 'share'))
    },
  })
  const instances: Gauge = new Gauge({
    name: 'latchkey_limiter_instances',
    help: 'Instances that share the limiter, as last seen; 0 if there is none',
    registers,
    collect() {
      instances.set(state()?.instances ?? 0)
    },
  })
  const outages = new Counter({
    name: 'latchkey_limiter_outages_total',
    help: 'How often the limiter that instances share could no longer be reached',
    registers,
    collect() {
      outages.reset()
      outages.inc(state()?.outages ?? 0)
    },
  })
  const answered = new Counter({
    name: 'latchkey_limiter_alone_total',
    help: 'Calls that this instance has judged alone: by its share of their limits, or refused',
    labelNames: ['outcome'],
    registers,
    collect() {
      answered.reset()
      const { share = 0, refused = 0 } = state()?.answeredAlone ?? {}
      answered.inc({ outcome: 'share' }, share)
      answered.inc({ outcome: 'refused' }, refused)
    },
  })
}

function methodOf({ method }: { readonly method: string | undefined }): string {
  return method !== undefined && methods.has(method) ? method : 'other'
}
