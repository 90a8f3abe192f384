/**
 * @module The guard for handlers that take a Request and answer a Response, such as the route handlers of Next.js: a
 * wrapper says which keys may call one.
 */

import { objectOf } from '../options.ts'
import { problemMediaType } from '../problem/problem.ts'
import type { Accepted, Refused, Requirement, VerifiedKey, Verifier } from '../verify/verdict.ts'
import { acceptedHeaders } from './answer.ts'
import { linesOf } from './credential.ts'
import { declaration, declarationOf } from './declaration.ts'
import type { GuardOptions } from './judging.ts'
import { RequestCall, judging, quietLog, randomId } from './judging.ts'
import type { RequiresArgument, RequiresOptions } from './requirement.ts'
import { anyKey, requirementOf } from './requirement.ts'
import { securitySchemes } from './openapi.ts'

export { anyKey, securitySchemes }
export type { CredentialPlace } from './credential.ts'
export type { GuardLog, GuardOptions } from './judging.ts'
export type { SecurityScheme } from './openapi.ts'
export type { RequiresOptions } from './requirement.ts'

/** How the guard behaves. */
export interface FetchGuardOptions extends GuardOptions<Request> {
  /**
   * The address of the caller, for keys that are bound to addresses: a Request has none. Gets all that the platform gives
   * to a handler. Without it, such keys are refused.
   */
  readonly address?: (request: Request, ...context: readonly unknown[]) => string | undefined
}

/** What a handler asks of a key: the arguments of `requires` in other guards, as a list. */
export type FetchRequirement<Scope extends string> =
  | readonly [any: typeof anyKey]
  | readonly [options: RequiresOptions<Scope>, ...scopes: readonly Scope[] | readonly [typeof anyKey]]
  | readonly [scope: Scope, ...more: readonly Scope[]]

/** The guard of one application. */
export interface FetchGuard<Scope extends string> {
  /**
   * Makes a handler that only keys reach which have all of these scopes, and one of `anyOf` if there is one. It passes on what
   * the platform gives besides the request, such as the parameters of the path.
   *
   * @throws LatchkeyError `unknown_scope`, `invalid_input`.
   *
   * @example
   * const { guarded } = fetchGuard(keyring)
   * const GET = guarded(['orders:read'], (request, key) => Response.json({ owner: key.owner }))
   * const answer = await GET(new Request('https://api.example.com/orders', { headers: { 'X-API-Key': secret } }))
   * console.log(answer.status) // 200
   */
  readonly guarded: <Context extends readonly unknown[], Incoming extends Request = Request>(
    required: FetchRequirement<Scope>,
    handler: (request: Incoming, key: VerifiedKey<Scope>, ...context: Context) => Response | Promise<Response>,
  ) => (request: Incoming, ...context: Context) => Promise<Response>
  /**
   * Declares that a handler is open to everyone, and returns it.
   *
   * @example
   * const { open } = fetchGuard(keyring)
   * const GET = open(() => new Response('ok'))
   * console.log(GET().status) // 200
   */
  readonly open: <Handler extends (...values: never[]) => unknown>(handler: Handler) => Handler
}

/** The exports of a module by which platforms call it: the methods of Next.js, and `fetch` of Bun, Deno and workers. */
const handlerNames: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  'fetch',
])

/**
 * Names the handlers of a module that declare nothing, for a test: there is no start at which a guard could find them. Looks
 * at exports with the name of a method, at `fetch`, and at what is exported as default.
 *
 * @example
 * const { guarded } = fetchGuard(keyring)
 * const GET = guarded(['orders:read'], () => new Response('x'))
 * console.log(undeclaredIn({ GET, POST: () => new Response('x'), helper: () => 1 })) // ['POST']
 */
export function undeclaredIn(module: object): readonly string[] {
  const undeclared: string[] = []
  for (const [name, value] of Object.entries(module) as (readonly [string, unknown])[]) {
    if (name === 'default' && typeof value === 'object' && value !== null) {
      undeclared.push(...undeclaredIn(value).map((inner) => `default.${inner}`))
    } else if ((name === 'default' || handlerNames.has(name)) && typeof value === 'function') {
      if (declarationOf(value) === undefined) undeclared.push(name)
    }
  }
  return undeclared
}

/**
 * Makes the guard of handlers that take a Request: `guarded` and `open` wrap them. Nothing shows the guard which handlers
 * there are, so a handler without either is open: test your modules with `undeclaredIn`.
 *
 * The guard takes the key from the header `X-API-Key`, or from where `credential` says, and from nowhere else. `Headers`
 * joins the lines of a header by a comma and a space: a credential that contains these is an error (400).
 *
 * @throws LatchkeyError `invalid_input` for options that are not as they must be.
 *
 * @example
 * const { guarded, open } = fetchGuard(keyring)
 * const GET = guarded(['orders:read'], (request, key) => Response.json({ owner: key.owner }))
 * const HEAD = open(() => new Response(null))
 */
export function fetchGuard<Scope extends string>(
  verifier: Verifier<Scope>,
  options: FetchGuardOptions = {},
): FetchGuard<Scope> {
  objectOf('The options of fetchGuard', options, ['credential', 'log', 'requestId', 'address'])
  const { credential, log = quietLog, requestId = randomId, address = () => undefined } = options
  const { judge, answer, note } = judging(verifier, credential)

  function refuse(refused: Refused, { arguments: values, requirement }: RefusedArguments): Response {
    const [request] = values
    const id = requestId(request)
    const { status, headers, problem } = answer(refused, id)
    const message = { rawHeaders: linesOf(request.headers) }
    // There is no declared route: the path is what the caller has written.
    note(refused, { message, log, requestId: id, route: request.method, call: callOf(values), requirement })
    const type = `${problemMediaType}; charset=utf-8`
    return new Response(JSON.stringify(problem), { status, headers: { ...headers, 'content-type': type } })
  }

  const callOf = (values: Arguments): RequestCall<Arguments> => new RequestCall(values, (all) => address(...all))

  return {
    guarded(required, handler) {
      const requirement = requirementOf(verifier, required as readonly RequiresArgument<Scope>[])
      const wrapped = async (...values: Parameters<ReturnType<FetchGuard<Scope>['guarded']>>): Promise<Response> => {
        const [request, ...context] = values
        const verdict = await judge({ rawHeaders: linesOf(request.headers) }, requirement, callOf(values))
        if (!verdict.ok) return refuse(verdict, { arguments: values, requirement })
        return withHeaders(await handler(request as never, verdict.key, ...(context as never)), verdict)
      }
      return Object.assign(wrapped as never, { [declaration]: requirement })
    },
    // A function of its own: declared once, the same function could be exported under another name unseen.
    open: (handler) => {
      const opened = (...values: never[]): unknown => handler(...values)
      return Object.assign(opened as typeof handler, { [declaration]: 'open' })
    },
  }
}

/** All that the platform gives to a handler. */
type Arguments = readonly [request: Request, ...context: unknown[]]

/** A request that is refused, and the requirement that it did not meet. */
interface RefusedArguments {
  readonly arguments: Arguments
  readonly requirement: Requirement
}

/** The same response with the guard's headers. What the handler says of caches wins. */
function withHeaders(response: Response, verdict: Accepted): Response {
  // Shared caches keep out answers to `Authorization` only (RFC 9111 3.5), not ours.
  const own = response.headers.get('cache-control')
  const headers = Object.entries({ ...acceptedHeaders(verdict), 'cache-control': own ?? 'private' })
  try {
    for (const [name, value] of headers) response.headers.set(name, value)
    return response
  } catch {
    // The headers of `Response.redirect` and of an answer from `fetch` cannot be changed.
    const copy = new Response(response.body, response)
    for (const [name, value] of headers) copy.headers.set(name, value)
    return copy
  }
}
