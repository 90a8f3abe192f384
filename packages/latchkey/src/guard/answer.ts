import type { Problem } from '../problem/problem.ts'
import { problemDocument } from '../problem/problem.ts'
import type { Accepted, LimitState, Refused, Retiring } from '../verify/verdict.ts'
import type { CredentialPlace } from './credential.ts'
import { challenges } from './credential.ts'

/**
 * The headers that the guard adds to the answer of an accepted call. Most calls have none.
 *
 * @example
 * const verdict = await keyring.verify(secret)
 * console.log(verdict.ok && acceptedHeaders(verdict)) // {}
 */
export function acceptedHeaders({ limits, retiring }: Accepted): Readonly<Record<string, string>> {
  const ofLimits = limits === undefined ? undefined : limitHeaders(limits)
  if (retiring === undefined) return ofLimits ?? {}
  return { ...ofLimits, ...retiringHeaders(retiring) }
}

/** RFC 9745, RFC 8594: whole seconds, both rounded down, so that they never promise more time than there is. */
function retiringHeaders(retiring: Retiring | undefined): Record<string, string> {
  if (retiring === undefined) return {}
  return { deprecation: `@${Math.floor(retiring.since / 1000)}`, sunset: new Date(retiring.until).toUTCString() }
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-11, e.g. `RateLimit-Policy: "burst";q=100;w=60` and
 * `RateLimit: "burst";r=50;t=30`; `undefined` if no limit is reported to callers.
 */
function limitHeaders(limits: readonly LimitState[]): Record<string, string> | undefined {
  const policy = policyOf(limits)
  if (policy === '') return undefined
  let ratelimit = ''
  for (const { name, remaining, reset, reportOnly } of limits) {
    if (reportOnly) continue
    ratelimit += ratelimit === '' ? `"${name}";r=` : `, "${name}";r=`
    ratelimit += reset === null ? remaining : `${remaining};t=${reset}`
  }
  return { 'ratelimit-policy': policy, ratelimit }
}

/** What the policy of a limit is written from. */
type Named = Pick<LimitState, 'name' | 'limit' | 'window' | 'reportOnly'>

/** A copy of the limits whose policy was written last, and what was written: many keys have equal limits. */
let written: { readonly limits: readonly Named[]; readonly policy: string } = { limits: [], policy: '' }

/** The value of `RateLimit-Policy`. The quota has no `w`, because its period is one of the calendar. */
function policyOf(limits: readonly LimitState[]): string {
  if (haveOnePolicy(limits, written.limits)) return written.policy
  const policies = limits
    .filter(({ reportOnly }) => !reportOnly)
    .map(({ name, limit, window }) => `"${name}";q=${limit}${window === null ? '' : `;w=${window}`}`)
  const copies = limits.map(({ name, limit, window, reportOnly }) => ({ name, limit, window, reportOnly }))
  written = { limits: copies, policy: policies.join(', ') }
  return written.policy
}

function haveOnePolicy(some: readonly Named[], others: readonly Named[]): boolean {
  if (some.length !== others.length) return false
  for (let index = 0; index < some.length; index++) {
    const [one, other] = [some[index] as Named, others[index] as Named]
    const isSame = one.limit === other.limit && one.window === other.window && one.reportOnly === other.reportOnly
    if (!isSame || one.name !== other.name) return false
  }
  return true
}

/**
 * The HTTP answer to a refused call.
 *
 * @param request - its id, which the document names, and where callers send their keys, for the challenge.
 *
 * @example
 * const verdict = await keyring.verify('not a key')
 * if (!verdict.ok) {
 *   const { status, headers } = refusalAnswer(verdict, { requestId: 'request-1', credential: 'header' })
 *   console.log(status, headers['www-authenticate']) // 401 X-API-Key
 * }
 */
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
