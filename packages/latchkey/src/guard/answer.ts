import type { Problem } from '../problem/problem.ts'
import { problemDocument } from '../problem/problem.ts'
import type { Accepted, LimitState, Refused, Retiring } from '../verify/verdict.ts'
import type { CredentialPlace } from './credential.ts'
import { challenges } from './credential.ts'

/** The headers that the guard adds to the answer of an accepted call. Most calls have none. */
export function acceptedHeaders({ limits = [], retiring }: Accepted): Readonly<Record<string, string>> {
  return { ...limitHeaders(limits), ...retiringHeaders(retiring) }
}

/** RFC 9745, RFC 8594: whole seconds, both rounded down, so that they never promise more time than there is. */
function retiringHeaders(retiring: Retiring | undefined): Record<string, string> {
  if (retiring === undefined) return {}
  return { deprecation: `@${Math.floor(retiring.since / 1000)}`, sunset: new Date(retiring.until).toUTCString() }
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-11, e.g. `RateLimit-Policy: "burst";q=100;w=60` and
 * `RateLimit: "burst";r=50;t=30`. The quota has no `w`, because its period is a day or a month of the calendar.
 */
function limitHeaders(all: readonly LimitState[]): Record<string, string> {
  const limits = all.filter(({ reportOnly }) => !reportOnly)
  if (limits.length === 0) return {}
  const policies = limits.map(
    ({ name, limit, window }) => `"${name}";q=${limit}${window === null ? '' : `;w=${window}`}`,
  )
  const states = limits.map(
    ({ name, remaining, reset }) => `"${name}";r=${remaining}${reset === null ? '' : `;t=${reset}`}`,
  )
  return { 'ratelimit-policy': policies.join(', '), ratelimit: states.join(', ') }
}

/** The HTTP answer to a refused call. */
export function refusalAnswer(
  { refusal: { answer }, limits = [], retryAfter, retiring }: Refused,
  { requestId, credential }: { readonly requestId: string; readonly credential: CredentialPlace },
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly problem: Problem } {
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    ...limitHeaders(limits),
    ...retiringHeaders(retiring),
  }
  if (answer.status === 401) headers['www-authenticate'] = challenges[credential]
  if (answer.status === 503) headers['retry-after'] = '1'
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  const violated = limits.filter(({ exceeded, reportOnly }) => exceeded && !reportOnly).map(({ name }) => name)
  const violatedPolicies = answer.status === 429 ? violated : undefined
  return { status: answer.status, headers, problem: problemDocument({ ...answer, violatedPolicies }, requestId) }
}
