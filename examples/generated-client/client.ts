// A client of the server whose types are made from its OpenAPI document:
//   npx openapi-typescript http://127.0.0.1:8080/openapi.json --output latchkey.d.ts
//   LATCHKEY_ADMIN_KEY=… node client.ts http://127.0.0.1:8080

import createClient from 'openapi-fetch'
import type { components, paths } from './latchkey.d.ts'

/** The document lists the codes of each status: without one of them this does not compile. */
const missing: Readonly<Record<components['schemas']['Problem404']['code'], string>> = {
  unknown_key: 'there is no such key',
  unknown_owner: 'there is no such owner',
  unknown_entry: 'the journal has no such entry',
  unknown_refusal: 'no refusal has this id',
}

const { GET, POST } = createClient<paths>({
  baseUrl: process.argv[2] ?? 'http://127.0.0.1:8080',
  headers: { 'X-API-Key': process.env['LATCHKEY_ADMIN_KEY'] },
})

const issued = await POST('/v1/keys', { body: { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } })
if (issued.data === undefined) throw new Error(issued.error.detail)
const { key } = issued.data
console.log('issued for', key.owner)

// Of a key that was issued before, with the same Idempotency-Key, there is no secret to read.
if (!issued.data.repeated) console.log(await outcomeOf(issued.data.secret))
console.log(await outcomeOf('not a key'))

// A body that may be left out.
await POST('/v1/keys/{id}/disable', { params: { path: { id: key.id } } })
const { data: page } = await GET('/v1/keys', { params: { query: { state: 'disabled' } } })
console.log('disabled:', page?.keys.map(({ name }) => name).join())

const { error } = await GET('/v1/keys/{id}', { params: { path: { id: 'nobody' } } })
if (error?.status === 404) console.log(missing[error.code])

async function outcomeOf(credential: string): Promise<string> {
  const { data: verdict } = await POST('/v1/verify', { body: { credential, scopes: ['orders:read'] } })
  if (verdict === undefined) return 'no verdict'
  return verdict.valid ? `accepted: ${verdict.key.owner}` : `refused: ${verdict.code}, answer ${verdict.answer.status}`
}
