import assert from 'node:assert/strict'
import { scenario } from './scenario.ts'

scenario(
  'a task that succeeds is answered 200 with its status and a new UUID of version 4',
  async ({ call, headersFor, worked }) => {
    const headers = await headersFor(['process:run'])
    const [one, other] = [await call({ headers }), await call({ headers })]
    assert.equal(one.statusCode, 200)
    assert.deepEqual(Object.keys(one.json()), ['status', 'id'])
    assert.equal(one.json().status, 'SUCCESS')
    assert.match(one.json().id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.notEqual(one.json().id, other.json().id)
    assert.deepEqual(worked, ['SUCCESS', 'SUCCESS'])
  },
)

scenario('a task that fails is answered 500 with the sentence that the clients know', async ({ call, headersFor }) => {
  const headers = await headersFor(['process:run'])
  for (const status of ['FAILURE', '', 'success', 'SUCCESS ']) {
    const answer = await call({ headers, payload: { status } })
    assert.equal(answer.statusCode, 500)
    assert.deepEqual([answer.json().detail, answer.json().code], ['Task processing failed', 'task_failed'])
  }
})

scenario(
  'without a valid key the answer is 401 with the challenge and the sentence that the clients know, and no work is done',
  async ({ call, keyring, worked }) => {
    const { key, secret } = await keyring.issue({ name: 'Gone', owner: 'acme', scopes: ['process:run'] })
    await keyring.revoke(key.id, { reason: 'unused' })
    for (const headers of [{}, { 'x-api-key': '' }, { 'x-api-key': 'wrong' }, { 'x-api-key': secret }]) {
      const answer = await call({ headers })
      assert.equal(answer.statusCode, 401)
      assert.equal(answer.headers['www-authenticate'], 'X-API-Key')
      assert.equal(answer.json().detail, 'Invalid or missing API Key')
    }
    assert.deepEqual(worked, [])
  },
)

scenario('the key is judged before the body: a bad body without a key is 401', async ({ call }) => {
  for (const payload of ['{', 'x'.repeat(100_000)]) {
    assert.equal((await call({ payload, headers: { 'content-type': 'application/json' } })).statusCode, 401)
  }
  assert.equal((await call({ payload: '<a/>', headers: { 'content-type': 'text/xml' } })).statusCode, 401)
})

scenario('a key without the scope is 403', async ({ call, headersFor, worked }) => {
  const answer = await call({ headers: await headersFor([]) })
  assert.deepEqual([answer.statusCode, answer.json().code], [403, 'insufficient_scope'])
  assert.deepEqual(worked, [])
})

scenario('two keys in one request are 400', async ({ call, headersFor, worked }) => {
  const { 'X-API-Key': key } = await headersFor(['process:run'])
  const answer = await call({ headers: { 'x-api-key': [key, key] as never } })
  assert.deepEqual([answer.statusCode, answer.json().code], [400, 'two_credentials'])
  assert.deepEqual(worked, [])
})

scenario(
  'a body that does not fit is 422 and names each fault; members nobody asked for are ignored',
  async ({ call, headersFor, worked }) => {
    const headers = await headersFor(['process:run'])
    const faults = async (payload: object | string): Promise<unknown> => {
      const answer = await call({ headers: { ...headers, 'content-type': 'application/json' }, payload })
      assert.equal(answer.statusCode, 422, answer.body)
      return answer.json().errors
    }
    assert.deepEqual(await faults({}), [{ pointer: '/status', detail: 'is required' }])
    assert.deepEqual(await faults({ status: 1 }), [{ pointer: '/status', detail: 'must be string' }])
    assert.deepEqual(await faults({ status: null }), [{ pointer: '/status', detail: 'must be string' }])
    assert.deepEqual(await faults('[]'), [{ pointer: '', detail: 'must be object' }])
    assert.deepEqual(await faults('null'), [{ pointer: '', detail: 'must be object' }])
    assert.deepEqual(worked, [])
    assert.equal((await call({ headers, payload: { status: 'SUCCESS', more: [1] } })).statusCode, 200)
    const type = { 'content-type': 'application/json' }
    for (const more of ['"__proto__":{"a":1}', '"constructor":{"prototype":1}']) {
      assert.equal(
        (await call({ headers: { ...headers, ...type }, payload: `{"status":"SUCCESS",${more}}` })).statusCode,
        200,
      )
    }
  },
)

scenario('what is not JSON is 400, another media type 415, too much 413', async ({ call, headersFor, worked }) => {
  const headers = await headersFor(['process:run'])
  const status = async (type: string, payload: string): Promise<number> =>
    (await call({ headers: { ...headers, 'content-type': type }, payload })).statusCode
  assert.equal(await status('application/json', '{"status":'), 400)
  assert.equal(await status('application/json', ''), 400)
  assert.equal(await status('text/plain', 'SUCCESS'), 415)
  assert.equal(await status('application/x-www-form-urlencoded', 'status=SUCCESS'), 415)
  assert.equal(await status('application/json', JSON.stringify({ status: 'x'.repeat(64 * 1024) })), 413)
  assert.deepEqual(worked, [])
})

scenario(
  'a body in another charset, or compressed, is 415, and not read as what it is not',
  async ({ call, headersFor, worked }) => {
    const headers = await headersFor(['process:run'])
    const status = async (type: string, more: Readonly<Record<string, string>> = {}): Promise<number> =>
      (await call({ headers: { ...headers, 'content-type': type, ...more }, payload: '{"status":"no"}' })).statusCode
    assert.equal(await status('application/json; charset=utf-16'), 415)
    assert.equal(await status('application/json;charset="ISO-8859-1"'), 415)
    assert.equal(await status('application/json', { 'content-encoding': 'gzip' }), 415)
    assert.deepEqual(worked, [])
    assert.equal(await status('application/json; charset="UTF-8"', { 'content-encoding': 'Identity' }), 500)
    assert.equal((await call({ headers: { 'content-type': 'application/json; charset=utf-16' } })).statusCode, 401)
  },
)

scenario('an unknown path is 404, a wrong method 405 with the methods that are right', async ({ call }) => {
  assert.equal((await call({ url: '/nowhere' })).statusCode, 404)
  const answer = await call({ method: 'GET', payload: '' })
  assert.deepEqual([answer.statusCode, answer.headers.allow], [405, 'POST'])
  const query = await call({ method: 'QUERY' as 'GET', payload: '' })
  assert.deepEqual([query.statusCode, query.headers.allow], [405, 'POST'])
  const headers = { 'content-type': 'application/json' }
  assert.equal((await call({ url: '/nowhere', headers, payload: '{' })).statusCode, 404)
  assert.equal((await call({ method: 'GET', url: '/docs/static/%00', payload: '' })).statusCode, 404)
})

scenario('every error is a problem document', async ({ call, headersFor }) => {
  const headers = await headersFor(['process:run'])
  const answers = [
    await call(),
    await call({ headers: await headersFor([]) }),
    await call({ headers, payload: { status: 'no' } }),
    await call({ headers, payload: {} }),
    await call({ url: '/nowhere' }),
    await call({ url: '/%zz' }),
    await call({ method: 'DELETE' }),
  ]
  for (const answer of answers) {
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    const { type, title, status, detail, instance, code } = answer.json()
    assert.deepEqual([type, status], ['about:blank', answer.statusCode])
    for (const member of [title, detail, instance, code]) assert.ok(typeof member === 'string' && member !== '')
  }
})

scenario('a key in the path or the query is neither taken nor told', async ({ call, headersFor }) => {
  const { 'X-API-Key': key = '' } = await headersFor(['process:run'])
  assert.equal((await call({ url: `/process?X-API-Key=${key}&api_key=${key}` })).statusCode, 401)
  assert.equal((await call({ url: `/${key}` })).statusCode, 404)
  assert.equal((await call({ url: `/docs/${key}`, method: 'GET', payload: '' })).statusCode, 404)
  assert.equal(
    (await call({ payload: key, headers: { 'content-type': 'application/json', 'x-api-key': key } })).statusCode,
    400,
  )
})
