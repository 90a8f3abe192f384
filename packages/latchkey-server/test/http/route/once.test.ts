import assert from 'node:assert/strict'
import { scenario } from '../../stage.ts'

const wanted = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] }
const headers = { 'idempotency-key': '7d1f' }

scenario(
  'a repeated creating call gets the same key, and is told that its secret was shown',
  async ({ send, admin, changes }) => {
    const as = await admin()
    const first = await send('POST /v1/keys', { as, body: wanted, headers })
    const before = await changes()
    const second = await send('POST /v1/keys', { as, body: wanted, headers })
    assert.equal(second.statusCode, 200)
    assert.deepEqual(second.json(), { key: first.json().key, secret: null, repeated: true })
    assert.equal(second.headers['etag'], first.headers['etag'])
    assert.equal(await changes(), before)
  },
)

scenario(
  'the same token with another body is 422, and from another admin key it is another token',
  async ({ send, admin, changes }) => {
    const as = await admin()
    await send('POST /v1/keys', { as, body: wanted, headers })
    const before = await changes()
    const other = await send('POST /v1/keys', { as, body: { ...wanted, name: 'Other' }, headers })
    assert.equal(other.statusCode, 422)
    assert.equal(other.json().code, 'idempotency_key_reused')
    assert.equal(await changes(), before)
    const somebody = await admin()
    const theirs = await send('POST /v1/keys', { as: somebody, body: wanted, headers })
    assert.equal(theirs.statusCode, 201)
  },
)

scenario(
  '32 calls at once with one token make one key: the others hear that it is being made, or was',
  async ({ send, admin, keyring }) => {
    const as = await admin()
    const calls = Array.from({ length: 32 }, () => send('POST /v1/keys', { as, body: wanted, headers }))
    const answers = await Promise.all(calls)
    const created = answers.filter(({ statusCode }) => statusCode === 201)
    assert.equal(created.length, 1)
    for (const answer of answers) {
      if (answer.statusCode === 409) assert.equal(answer.json().code, 'still_running')
      else if (answer.statusCode !== 201) assert.equal(answer.json().repeated, true)
    }
    assert.equal((await keyring.list({ owner: 'acme' })).keys.length, 1)
    const later = await send('POST /v1/keys', { as, body: wanted, headers })
    assert.equal(later.json().key.id, created[0]?.json().key.id, 'and then it is remembered')
  },
)

scenario('bulk and import happen once, too', async ({ send, admin, changes }) => {
  const as = await admin()
  const bulk = { as, body: { keys: [wanted, wanted] }, headers }
  const first = await send('POST /v1/keys/bulk', bulk)
  const second = await send('POST /v1/keys/bulk', bulk)
  assert.equal(second.statusCode, 200)
  const ids = first.json().created.map(({ key }: { key: { id: string } }) => key.id)
  assert.deepEqual(
    second.json().keys.map(({ id }: { id: string }) => id),
    ids,
  )
  assert.equal(second.json().repeated, true)
  const hash = 'ab'.repeat(64)
  const imported = {
    as,
    body: { keys: [{ ...wanted, hash, algorithm: 'sha512', bits: 128 }] },
    headers: { 'idempotency-key': 'import' },
  }
  assert.equal((await send('POST /v1/keys/import', imported)).statusCode, 201)
  const before = await changes()
  assert.equal((await send('POST /v1/keys/import', imported)).json().repeated, true)
  assert.equal(await changes(), before)
})

scenario('a failed creating call leaves its token free', async ({ send, admin }) => {
  const as = await admin()
  assert.equal(
    (await send('POST /v1/keys', { as, body: { ...wanted, scopes: ['no:thing'] }, headers })).statusCode,
    422,
  )
  assert.equal((await send('POST /v1/keys', { as, body: wanted, headers })).statusCode, 201)
})
