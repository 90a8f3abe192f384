// Proxies that cannot be installed here, by what their documents say that they send and take.

import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openStage } from '../stage.ts'
import { identityIn } from './stand.ts'

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** What the caller of a proxy sent. */
interface Call {
  readonly method: string
  readonly path: string
  readonly key?: string
}

const caller = '192.0.2.7'

/** What each proxy asks about a call, and whether it relays a refusal whole. */
const proxies: Readonly<Record<string, { readonly ask: (call: Call) => Asked; readonly relays: boolean }>> = {
  // forwardAuth.address; doc.traefik.io/traefik/middlewares/http/forwardauth
  Traefik: {
    relays: true,
    ask: ({ method, path, key }) => ({
      method: 'GET',
      path: '/v1/forward-auth/read',
      headers: {
        ...(key === undefined ? {} : { 'X-API-Key': key }),
        'X-Forwarded-Method': method,
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'api.example',
        'X-Forwarded-Uri': path,
        'X-Forwarded-For': caller,
      },
    }),
  },
  // http_service.path_prefix; envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3
  Envoy: {
    relays: true,
    ask: ({ method, path, key }) => ({
      method,
      path: `/v1/forward-auth/read/${path}`,
      headers: {
        ...(key === undefined ? {} : { 'X-API-Key': key }),
        'Content-Length': '0',
        'X-Envoy-Internal': 'true',
        'X-Forwarded-For': caller,
      },
    }),
  },
  // GEP-1494: HTTP, with `path` as the prefix
  'Gateway API': {
    relays: true,
    ask: ({ method, path, key }) => ({
      method,
      path: `/v1/forward-auth/read/${path}`,
      headers: { ...(key === undefined ? {} : { 'X-API-Key': key }), 'X-Forwarded-For': caller },
    }),
  },
  // nginx.ingress.kubernetes.io/auth-url
  'ingress-nginx': {
    relays: false,
    ask: ({ method, path, key }) => ({
      method: 'GET',
      path: '/v1/forward-auth/read/nginx',
      headers: {
        ...(key === undefined ? {} : { 'X-API-Key': key }),
        'X-Original-URL': `https://api.example${path}`,
        'X-Original-Method': method,
        'X-Auth-Request-Redirect': path,
        'X-Sent-From': 'nginx-ingress-controller',
        'X-Forwarded-For': caller,
      },
    }),
  },
}

test('Traefik, Envoy, the Gateway API and ingress-nginx, as their documents say, get the verdict of the policy', async (context) => {
  const stage = await openStage({
    identity: identityIn(temporaryFolder('contracts', { context })),
    forwardAuth: { host: '127.0.0.1', port: 0 },
    policies: { read: { scopes: ['orders:read'] } },
  })
  try {
    assert.ok(stage.forProxies)
    await stage.forProxies.listen({ host: '127.0.0.1', port: 0 })
    const { port } = stage.forProxies.server.address() as AddressInfo
    const { key, secret } = await stage.issue({ scopes: ['orders:read'], addresses: [caller] })
    const other = await stage.issue({ scopes: ['reports:read'] })
    const limited = await stage.issue({ limits: [{ name: 'few', limit: 1, window: 60 }] })
    await stage.keyring.verify(limited.secret)
    for (const [name, { ask, relays }] of Object.entries(proxies)) {
      const send = async (call: Call): Promise<Answer> => asked(port, ask(call))
      for (const path of ['/orders?a=1', '/../admin', '/nginx', '/%2e%2e/', '//', '/v1/forward-auth/none', '/%zz']) {
        for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND', 'DELETE']) {
          const accepted = await send({ method, path, key: secret })
          assert.equal(accepted.status, 200, `${name} ${method} ${path}`)
          assert.equal(accepted.headers['x-latchkey-key-id'], key.id)
          assert.ok(accepted.headers['x-latchkey-identity'] && accepted.headers['x-latchkey-owner'])
          const refused = await send({ method, path })
          assert.equal(refused.status, 401, `${name} ${method} ${path}`)
          assert.equal((await send({ method, path, key: other.secret })).status, 403)
        }
      }
      // Its caller chooses the path, and so would choose the form of nginx.
      const over = await send({ method: 'GET', path: '/nginx', key: limited.secret })
      // ingress-nginx makes every status but 401 and 403 of it a 500, so it gets a 403.
      assert.equal(over.status, relays ? 429 : 403, name)
      assert.match(String(over.headers['retry-after']), /^\d+$/)
      assert.equal(over.body === '', !relays)
    }
  } finally {
    await stage.finish()
  }
})

async function asked(port: number, { method, path, headers = {} }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, method, path, headers: headers as never, agent: false },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8').on('data', (text: string) => (body += text))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
      },
    )
    call.on('error', reject)
    call.end()
  })
}
