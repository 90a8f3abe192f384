import { LatchkeyError } from '../error.ts'
import { invalid, membersOf, objectOf } from '../options.ts'
import type { Problem } from '../problem/problem.ts'
import { malformedResponse, problemDocument, problemResponse } from '../problem/problem.ts'
import { parse } from '../secret/parse.ts'
import type { Accepted, Credential, Requirement, LimitState, Refused, Retiring, Verifier } from '../verify/verdict.ts'

/** The header that carries the key, and the name of its scheme in OpenAPI and in challenges. */
export const header = 'X-API-Key'
const scheme = 'ApiKey'

/** What `requires` takes besides the names of scopes. */
export interface RequiresOptions<Scope extends string> {
  /** Any one of these is enough. */
  readonly anyOf?: readonly [Scope, ...Scope[]]
  /** The environment whose keys are taken; the first one of the keyring if left out. */
  readonly environment?: string
  /** What a call takes from the limits and the quota of its key: a whole number from 0; 1 if left out. */
  readonly cost?: number
}

/** The most that a call may cost. */
const mostCost = 1_000_000

/** What a guard hook carries under `declaration`: a requirement, or that the route is open to everyone. */
export type Declaration = Requirement | 'open'

/** Where a hook carries its declaration. `Symbol.for`, so that two copies of the library understand each other. */
export const declaration: unique symbol = Symbol.for('latchkey.declaration') as never

/** The declaration that a function carries, if it is a guard hook. */
export function declarationOf(hook: unknown): Declaration | undefined {
  return typeof hook === 'function' ? (hook as { [declaration]?: Declaration })[declaration] : undefined
}

/**
 * Says that any valid key will do. A word of its own, because nothing at all is also what becomes of a list that
 * somebody forgot to fill.
 *
 * @example app.get('/me', { onRequest: requires(anyKey) }, (request) => keyOf(request).owner)
 */
export const anyKey: unique symbol = Symbol.for('latchkey.anyKey') as never

/** What `requires` takes: names of scopes, or `anyKey`; before them options where there are any. */
export type RequiresArgument<Scope extends string> = Scope | typeof anyKey | RequiresOptions<Scope>

const members = membersOf<RequiresOptions<string>>({ anyOf: true, environment: true, cost: true })

/**
 * The requirement for what was passed to `requires`, checked while the application starts. What is not understood is
 * refused: left out, it would make a route that any key may call. A member that is there must have a value, and
 * something must be asked for.
 *
 * @throws LatchkeyError `unknown_scope`, `invalid_input`.
 */
export function requirementOf<Scope extends string>(
  verifier: Verifier<Scope>,
  wanted: readonly RequiresArgument<Scope>[],
): Requirement<Scope> {
  const [first, ...rest] = wanted
  const options = typeof first === 'object' ? checkedOptions<Scope>(first) : {}
  const named = typeof first === 'object' ? (rest as readonly (Scope | typeof anyKey)[]) : wanted
  const { anyOf, environment = verifier.environments[0], cost = 1 } = options
  const any = named.includes(anyKey)
  if (any && (named.length > 1 || anyOf !== undefined)) {
    throw invalid('anyKey', 'alone: a route that takes any key asks for no scope')
  }
  if (named.length === 0 && anyOf === undefined) {
    throw invalid('What requires(...) asks for', 'at least one scope, or anyKey where any valid key will do')
  }
  const allOf = any ? [] : (named as readonly Scope[])
  for (const scope of [...allOf, ...(anyOf ?? [])]) {
    if (typeof scope !== 'string' || !Object.hasOwn(verifier.scopes, scope)) {
      const what = typeof scope === 'string' ? JSON.stringify(scope) : 'something that is no name of a scope'
      throw new LatchkeyError('unknown_scope', `A route requires ${what}, which is not declared.`)
    }
  }
  if (environment === undefined || !verifier.environments.includes(environment)) {
    const known = verifier.environments.join(', ')
    throw new LatchkeyError('invalid_input', `environment must be one of ${known}, not ${JSON.stringify(environment)}.`)
  }
  if (!Number.isSafeInteger(cost) || cost < 0 || cost > mostCost) {
    throw new LatchkeyError('invalid_input', `cost must be a whole number from 0 to ${mostCost}.`)
  }
  // Frozen with its lists: a verifier reads it once.
  return Object.freeze({
    environment,
    cost,
    ...(allOf.length === 0 ? {} : { allOf: Object.freeze([...allOf]) }),
    ...(anyOf === undefined ? {} : { anyOf: Object.freeze([...anyOf]) }),
  })
}

function checkedOptions<Scope extends string>(options: RequiresOptions<Scope> | null): RequiresOptions<Scope> {
  if (options === null || Array.isArray(options)) {
    throw invalid('What requires(...) takes', 'names of scopes one by one, and options as an object before them')
  }
  objectOf('The options of requires(...)', options, members)
  if (Object.keys(options).length === 0) {
    throw invalid('The options of requires(...)', `an object with at least one of ${members.join(', ')}`)
  }
  for (const [name, value] of Object.entries(options)) {
    // `environment: config.environment`, where there is none, would take keys of another one.
    if (value === undefined || value === null) throw invalid(name, 'given a value, or left out')
  }
  const { anyOf } = options
  if (anyOf !== undefined && (!Array.isArray(anyOf) || anyOf.length === 0)) {
    throw invalid('anyOf', 'a list of at least one scope')
  }
  return options
}

/** What OpenAPI says of a declared route: `security`, and the answers that the guard can give. */
export function documentationOf(declared: Declaration): {
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly response: Readonly<Record<number, Readonly<Record<string, unknown>>>>
} {
  if (declared === 'open') return { security: [], response: {} }
  const { allOf = [], anyOf = [] } = declared
  // A list is alternatives, its members' scopes are all needed: (a and b) or (a and c). Needs OpenAPI 3.1.
  const alternatives = anyOf.length === 0 ? [allOf] : anyOf.map((scope) => [...allOf, scope])
  return {
    security: alternatives.map((scopes) => ({ [scheme]: scopes })),
    response: {
      400: malformedResponse,
      401: {
        ...problemResponse('The API key is missing or not valid'),
        headers: { 'WWW-Authenticate': { type: 'string', description: 'The challenge' } },
      },
      403: problemResponse('The API key is valid, but not for this'),
      429: {
        ...problemResponse('The API key is over a limit, or its quota is spent'),
        headers: {
          'RateLimit-Policy': { type: 'string', description: 'The limits of the key' },
          RateLimit: { type: 'string', description: 'How they stand' },
          'Retry-After': { type: 'integer', description: 'Seconds; left out where waiting does not help' },
        },
      },
      503: {
        ...problemResponse('API keys cannot be checked at the moment'),
        headers: { 'Retry-After': { type: 'integer', description: 'Seconds' } },
      },
    },
  }
}

/**
 * The scheme for `components.securitySchemes` of an OpenAPI document, with the declared scopes in its description.
 *
 * @example openapi: { components: { securitySchemes: securitySchemes(keyring) } }
 */
export function securitySchemes(verifier: Pick<Verifier, 'scopes'>): {
  readonly ApiKey: {
    readonly type: 'apiKey'
    readonly in: 'header'
    readonly name: string
    readonly description: string
  }
} {
  const lines = Object.entries(verifier.scopes).map(([scope, sentence]) => `- \`${scope}\`: ${sentence}`)
  const description = lines.length === 0 ? 'Your API key.' : `Your API key. Keys have scopes:\n\n${lines.join('\n')}`
  return { [scheme]: { type: 'apiKey', in: 'header', name: header, description } }
}

/** Says that a request carries more than one credential. */
export const twoCredentials: unique symbol = Symbol('two credentials')

/**
 * The one credential in a request, or `twoCredentials`.
 *
 * @param value - the value of the header as the framework gives it.
 * @param lines - names and values in turn, as they came over the wire (`rawHeaders`). Node joins repeated lines with a
 *   comma, so they are counted when there is one: a credential may contain a comma, two lines are never one credential.
 */
export function presented(
  value: string | readonly string[] | undefined,
  lines: readonly string[],
): string | undefined | typeof twoCredentials {
  if (value === undefined) return undefined
  if (typeof value !== 'string') return value.length > 1 ? twoCredentials : value[0]
  if (!value.includes(',')) return value
  let count = 0
  for (let index = 0; index < lines.length; index += 2) {
    if (lines[index]?.toLowerCase() === 'x-api-key') count++
  }
  return count > 1 ? twoCredentials : value
}

/**
 * Whether an `Authorization` field carries a secret of a keyring's own making. It is not read as the credential of a
 * request, and others put other things there, such as the token of a person; but a secret beside the one in `X-API-Key`
 * is a second credential, and two programs on the way could each take another one for the caller's.
 */
export function carriesSecret(authorization: string): boolean {
  const [, token] = /^bearer +(\S+) *$/i.exec(authorization) ?? []
  return token !== undefined && typeof parse(token) === 'object'
}

/**
 * Remembers the credential that a connection sent last, and so what the verifier has computed from it: a caller who
 * keeps the connection is not hashed anew each time. Never the verdict: that is given for every request.
 *
 * @param make - of the verifier; where it has none, nothing is computed that could be spared.
 */
export function connectionMemory(
  make: ((text: string) => Credential) | undefined,
): (connection: object, text: string) => Credential | string {
  if (make === undefined) return (_connection, text) => text
  const last = new WeakMap<object, Credential>()
  return (connection, text) => {
    const remembered = last.get(connection)
    if (remembered !== undefined && sameText(remembered.text, text)) return remembered
    const credential = make(text)
    last.set(connection, credential)
    return credential
  }
}

/**
 * Compares in a time that does not depend on where two texts of one length differ (ASVS 5.0 11.2.4): behind a proxy,
 * the credential remembered for a connection may be another caller's. `timingSafeEqual` would need two copies.
 */
function sameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < one.length; index++) difference |= one.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}

/** What the answer to an accepted call says besides what its handler says. Empty for most. */
export function acceptedHeaders({ limits = [], retiring }: Accepted): Readonly<Record<string, string>> {
  return { ...limitHeaders(limits), ...retiringHeaders(retiring) }
}

/** RFC 9745, RFC 8594: whole seconds, both rounded down, so that nobody is promised more than there is. */
function retiringHeaders(retiring: Retiring | undefined): Record<string, string> {
  if (retiring === undefined) return {}
  return { deprecation: `@${Math.floor(retiring.since / 1000)}`, sunset: new Date(retiring.until).toUTCString() }
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-11, e.g. `RateLimit-Policy: "burst";q=100;w=60` and
 * `RateLimit: "burst";r=50;t=30`. The quota has no `w`: its period is of the calendar.
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

/** A refusal as an answer over HTTP. */
export function refusalAnswer(
  { refusal: { answer }, limits = [], retryAfter, retiring }: Refused,
  requestId: string,
): { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly problem: Problem } {
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    ...limitHeaders(limits),
    ...retiringHeaders(retiring),
  }
  // RFC 9110 11.6.1: a 401 must carry a challenge; a scheme without parameters is one (11.3).
  if (answer.status === 401) headers['www-authenticate'] = header
  if (answer.status === 503) headers['retry-after'] = '1'
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter)
  const violated = limits.filter(({ exceeded, reportOnly }) => exceeded && !reportOnly).map(({ name }) => name)
  const violatedPolicies = answer.status === 429 ? violated : undefined
  return { status: answer.status, headers, problem: problemDocument({ ...answer, violatedPolicies }, requestId) }
}
