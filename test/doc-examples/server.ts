import Fastify from 'fastify'
import { firstAdminKey, latchkeyServer, serverOptions } from 'latchkey-server'
import { testKeyring } from 'latchkey/testing'

/**
 * Puts a server behind the platform's `fetch`, whatever the host, and its admin key into the environment: for examples
 * that ask a server somewhere. No port is opened.
 */
export async function serveEverywhere(): Promise<void> {
  const { keyring } = await testKeyring({ scopes: { 'orders:read': 'Read orders' } })
  const server = Fastify(serverOptions)
  await server.register(latchkeyServer, { keyring })
  process.env['LATCHKEY_ADMIN_KEY'] = (await firstAdminKey(keyring)) ?? ''
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { pathname, search } = new URL(request.url)
    const { statusCode, headers, rawPayload } = await server.inject({
      method: request.method as 'GET',
      url: pathname + search,
      headers: Object.fromEntries(request.headers),
      ...(request.body === null ? {} : { payload: await request.text() }),
    })
    return new Response(new Uint8Array(rawPayload), { status: statusCode, headers: headers as Record<string, string> })
  }
}
