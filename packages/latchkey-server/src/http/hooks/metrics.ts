import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify'
import type { AdminScope, Verdict, Verifier } from 'latchkey'
import type { Unrouted } from 'latchkey/problem/fastify'
import type { Histogram } from '../../metrics/histogram.ts'
import { openHistogram } from '../../metrics/histogram.ts'
import { processMetrics } from '../../metrics/process.ts'
import type { Metric } from '../../metrics/text.ts'
import { textOf } from '../../metrics/text.ts'

/** The metrics of one server. */
export interface Metrics {
  /** Counts a verdict. */
  readonly verified: (verdict: Verdict) => void
  /** The same verifier, which also counts its verdicts. */
  readonly counting: (verifier: Verifier<AdminScope>) => Verifier<AdminScope>
  /** A hook for `onRoute`: the answers of the route are counted. */
  readonly routed: (route: RouteOptions) => void
  /** A hook for `onResponse`: counts the answer to a request that no route took. */
  readonly answered: (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void
  /** Counts an answer that was sent before any hook could run. */
  readonly unrouted: (answer: Unrouted) => void
  readonly text: () => Promise<string>
}

/** The answers of one route to one method. */
interface Answers {
  readonly route: string
  readonly method: string
  readonly statuses: Map<number, number>
  readonly durations: Histogram
  /** Answers that are given before any route is reached have no duration. */
  timed: boolean
}

/** All other methods share one label: a caller must not be able to create labels. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'])

/** Seconds. */
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/**
 * Labels have few values: codes, declared routes, methods, statuses. A key, an owner or a path is never a label. What is
 * counted for each request is found without making labels.
 */
export function openMetrics(): Metrics {
  const ofProcess = processMetrics()
  const outcomes = new Map<string, number>()
  const answers = new Map<string, Answers>()

  function answersOf(route: string, method: string): Answers {
    const place = `${method} ${route}`
    let found = answers.get(place)
    if (found === undefined) {
      found = { route, method, statuses: new Map(), durations: openHistogram(durationBounds), timed: false }
      answers.set(place, found)
    }
    return found
  }

  const verified: Metrics['verified'] = (verdict) => count(outcomes, verdict.ok ? 'accepted' : verdict.refusal.code)
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
    routed(route) {
      const { url, onResponse = [] } = route
      const [method = ''] = [route.method].flat()
      const ofRoute = answersOf(url, methodOf({ method }))
      route.onResponse = [
        (_request, reply, done) => {
          observe(ofRoute, reply)
          done()
        },
        ...[onResponse].flat(),
      ]
    },
    answered(request, reply, done) {
      if (request.is404) observe(answersOf('none', methodOf(request)), reply)
      done()
    },
    unrouted({ method, status }) {
      count(answersOf('none', methodOf({ method })).statuses, status)
    },
    async text() {
      const all = [...answers.values()]
      const ours: readonly Metric[] = [
        {
          name: 'latchkey_verifications_total',
          help: 'Verdicts given over HTTP, by outcome: accepted, or the code of the refusal',
          type: 'counter',
          samples: [...outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
        },
        {
          name: 'latchkey_http_requests_total',
          help: 'Requests answered',
          type: 'counter',
          samples: all.flatMap(({ route, method, statuses }) =>
            [...statuses].map(([status, value]) => ({ labels: { route, method, status: String(status) }, value })),
          ),
        },
        {
          name: 'latchkey_http_request_duration_seconds',
          help: 'From the head of the request to the end of the answer',
          type: 'histogram',
          samples: all
            .filter(({ timed }) => timed)
            .flatMap(({ route, method, durations }) => durations.samples({ route, method })),
        },
      ]
      return textOf([...ours, ...(await ofProcess())])
    },
  }
}

function observe(answers: Answers, reply: FastifyReply): void {
  answers.timed = true
  answers.durations.observe(reply.elapsedTime / 1000)
  count(answers.statuses, reply.statusCode)
}

function count<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function methodOf({ method }: { readonly method: string | undefined }): string {
  return method !== undefined && methods.has(method) ? method : 'other'
}
