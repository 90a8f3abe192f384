import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type { CallContext, OpenKeyring, Refused, Verdict } from 'latchkey'
import { acceptedHeaders, presentedCredential, refusalAnswer } from 'latchkey/guard'
import { onUnrouted, problem, problems } from 'latchkey/problem/fastify'
import type { KeysInUse } from '../identity/keys-in-use.ts'
import { identityHeadersFor } from './forward-auth/identity-headers.ts'
import { nginxForm } from './forward-auth/nginx-form.ts'
import type { AppliedPolicy } from './forward-auth/policies.ts'
import type { Asked, Asker, Proxies } from './forward-auth/proxies.ts'
import type { Metrics } from './hooks/metrics.ts'

// Not by an import: a module that imports `node:http` loads all that it can do.
const { METHODS } = process.getBuiltinModule('node:http')

/** What the listener for proxies needs. */
export interface ForwardAuthOptions {
  readonly policies: readonly AppliedPolicy[]
  readonly proxies: Proxies
  readonly keyring: OpenKeyring
  readonly keys: KeysInUse
  readonly metrics: Metrics
  readonly now: () => number
}

const base = '/v1/forward-auth/'

/** A policy's part of an address, and the form that follows; a proxy may append the caller's path and query. */
const asked = /^\/v1\/forward-auth\/([a-z0-9-]+)(\/nginx)?(?=[/?]|$)/

/**
 * Options for Fastify's constructor: of the address, only the policy and the form count. What a proxy appends is its
 * caller's, decides nothing, and is not even decoded. A proxy passes on all headers of its caller, and nginx takes 32 KB of
 * them: with less room here, its callers would be told that keys cannot be checked.
 */
export const forwardAuthOptions: Pick<FastifyServerOptions, 'rewriteUrl'> & {
  readonly http: { readonly maxHeaderSize: number }
} = {
  http: { maxHeaderSize: 65_536 },
  rewriteUrl: ({ url = '' }) => {
    const [, policy, form = ''] = asked.exec(url) ?? []
    return policy === undefined ? '/' : `${base}${policy}${form}`
  },
}

/**
 * The application for proxies: whether a request may pass on to the service behind. It judges no path and no method, only
 * the credential, by the policy that the proxy names.
 */
export async function forwardAuth(app: FastifyInstance, options: ForwardAuthOptions): Promise<void> {
  const { policies, metrics } = options
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method)
  }
  await app.register(problems)
  app.addHook('onResponse', metrics.answered)
  onUnrouted(app, metrics.unrouted)
  for (const policy of policies) {
    const url = `${base}${policy.name}`
    // Before a body is read: a proxy may announce its caller's and not send it.
    const onRequest = judging(policy, url, options)
    const route = { method: [...app.supportedMethods], onRequest, handler: () => undefined }
    app.route({ ...route, url })
    app.route({ ...route, url: `${url}/nginx`, onSend: nginxForm })
  }
}

/** The hook that judges by a policy, and answers. It never goes on to a handler. */
function judging(
  policy: AppliedPolicy,
  route: string,
  { proxies, keyring, keys, metrics, now }: ForwardAuthOptions,
): (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void {
  const { credential, requirement } = policy
  const headersOf = identityHeadersFor(policy, { keys, now })

  /** The address is looked up only for a key that names addresses. */
  function callOf(request: FastifyRequest): CallContext {
    return {
      get ip() {
        return proxies.callerOf(request)
      },
      // Said, so that no code can put them into the prototype.
      dryRun: undefined,
      seenBy: undefined,
    }
  }

  return (request, reply, done) => {
    const asker = proxies.askerOf(request)
    if (asker instanceof Promise) asker.then(ask).catch(done)
    else ask(asker)

    function ask(found: Asker): void {
      if (found.keyring === undefined) return refuseProxy(found.refused)
      const { keyring: acting } = found
      const presented = presentedCredential(request.raw.rawHeaders, credential)
      if (typeof presented === 'object') return answer(presented, acting)
      const verdict = acting.verify(presented, requirement, callOf(request))
      if (verdict instanceof Promise) verdict.then((late) => answer(late, acting)).catch(done)
      else answer(verdict, acting)
    }

    function answer(verdict: Verdict, acting: Asked): void {
      metrics.verified(verdict)
      if (!verdict.ok) return refuse(verdict, acting)
      reply.headers({ 'cache-control': 'no-store', ...headersOf(verdict.key), ...acceptedHeaders(verdict) }).send('')
    }

    function refuse(refused: Refused, acting: Asked): void {
      const { status, headers, problem: document } = refusalAnswer(refused, { requestId: request.id, credential })
      reply.code(status).headers(headers).type('application/problem+json').send(JSON.stringify(document))
      // After the answer, so that its time does not depend on what we know of the key.
      log(refused)
      const call = { requestId: request.id, route, address: proxies.callerOf(request), requirement }
      acting.noteRefusal?.(refused, call)
    }

    function log({ refusal: { code, step }, keyId, cause }: Refused): void {
      if (cause === undefined) request.log.info({ refusal: code, step, keyId, policy: policy.name }, 'refused')
      else request.log.error({ refusal: code, step, keyId, policy: policy.name, err: cause }, 'refused')
    }

    /** The caller is not to blame, and need not know how proxies are known. */
    function refuseProxy(refused: Refused | undefined): void {
      if (refused?.refusal.code === 'unavailable') return answer(refused, keyring)
      const remoteAddress = request.socket.remoteAddress
      request.log.warn({ refusal: refused?.refusal.code, remoteAddress }, 'a proxy that may not ask')
      if (refused !== undefined) {
        const call = {
          requestId: request.id,
          route,
          address: remoteAddress,
          requirement: { allOf: ['keys:verify'] as const },
        }
        keyring.admin.noteRefusal?.(refused, call)
      }
      reply.header('cache-control', 'no-store')
      done(problem({ status: 403, code: 'unknown_proxy', detail: 'The proxy in front of this service may not ask.' }))
    }
  }
}
