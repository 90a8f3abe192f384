import assert from 'node:assert/strict'
import { scenario } from '../../stage.ts'

scenario(
  'of two who read the same revision, the second to change is told 412 and changes nothing',
  async ({ send, admin, issue, changes }) => {
    const as = await admin()
    const { key } = await issue()
    const path = `/v1/keys/${key.id}`
    const etag = String((await send(`GET ${path}`, { as })).headers['etag'])
    const one = await send(`PATCH ${path}`, { as, body: { name: 'One' }, headers: { 'if-match': etag } })
    assert.equal(one.statusCode, 200)
    const before = await changes()
    const other = await send(`PATCH ${path}`, { as, body: { name: 'Other' }, headers: { 'if-match': etag } })
    assert.equal(other.statusCode, 412)
    assert.equal(other.json().code, 'precondition_failed')
    for (const verb of ['rotate', 'retire', 'disable', 'enable', 'revoke']) {
      const body = verb === 'revoke' ? { reason: 'other' } : undefined
      assert.equal(
        (await send(`POST ${path}/${verb}`, { as, body, headers: { 'if-match': etag } })).statusCode,
        412,
        verb,
      )
    }
    assert.equal(await changes(), before)
    const again = await send(`PATCH ${path}`, {
      as,
      body: { name: 'Other' },
      headers: { 'if-match': String(one.headers['etag']) },
    })
    assert.equal(again.json().key.name, 'Other')
  },
)

scenario(
  'If-Match is strong entity tags or *; a weak one matches nothing, and what is no tag is 400',
  async ({ send, admin, issue }) => {
    const as = await admin()
    const { key } = await issue()
    const statusWith = async (tag: string): Promise<number> =>
      (await send(`POST /v1/keys/${key.id}/disable`, { as, headers: { 'if-match': tag } })).statusCode
    assert.equal(await statusWith('*'), 200)
    assert.equal(await statusWith('W/"2"'), 412)
    assert.equal(await statusWith('"other"'), 412)
    assert.equal(await statusWith('2'), 400)
    for (const list of ['"1" "2"', '"1""2"', '"1", 2', '*, "2"', ',']) assert.equal(await statusWith(list), 400, list)
  },
)

scenario('of a list in If-Match one must be the revision, and the newest is the one that can be', async (stage) => {
  const { send, admin, issue } = stage
  const as = await admin()
  const { key } = await issue()
  const path = `/v1/keys/${key.id}`
  const read = async (): Promise<string> => String((await send(`GET ${path}`, { as })).headers['etag'])
  const change = async (list: string): Promise<number> =>
    (await send(`PATCH ${path}`, { as, body: { name: `After ${list.length}` }, headers: { 'if-match': list } }))
      .statusCode
  const first = await read()
  assert.equal(await change(`"other,with,commas", W/${first}`), 412)
  assert.equal(await change(`"other,with,commas" ,, ${first}`), 200)
  const second = await read()
  assert.equal(await change(`${first}, W/${second}`), 412)
  assert.equal(await change(`${second},${first}`), 200)
  assert.equal(await change(`${first}, ${second}`), 412)
  assert.equal(await change('"x", '.repeat(190) + (await read())), 200)
})
