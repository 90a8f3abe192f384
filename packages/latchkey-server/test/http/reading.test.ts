import assert from 'node:assert/strict'
import type { Stage } from '../stage.ts'
import { scenario } from '../stage.ts'
import { entriesOf } from '../../../../test/entries.ts'

/** Every page of a list, from the first to the last. */
async function pagesOf(stage: Stage, as: { secret: string }, query: string): Promise<readonly string[][]> {
  const pages: string[][] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const answer = await stage.send(`GET /v1/keys?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`, {
      as: as.secret,
    })
    assert.equal(answer.statusCode, 200, answer.body)
    pages.push(answer.json().keys.map(({ name }: { name: string }) => name))
    cursor = answer.json().cursor
  }
  return pages
}

scenario(
  'keys are listed page by page in the order of issue, also while more are issued, and by every filter',
  async (stage) => {
    const { send, admin, issue, keyring } = stage
    const as = await admin()
    for (const name of ['a', 'b', 'c', 'd', 'e']) await issue({ name })
    assert.deepEqual(await pagesOf(stage, as, 'owner=acme&limit=2'), [['a', 'b'], ['c', 'd'], ['e']])
    const test = await issue({ name: 'f', environment: 'test', owner: 'globex', scopes: ['reports:*'] })
    await keyring.disable(test.key.id)
    const first = (await send('GET /v1/keys?limit=6', { as })).json()
    assert.ok(first.cursor)
    assert.deepEqual((await send(`GET /v1/keys?cursor=${first.cursor}`, { as })).json().keys[0].name, 'f')
    for (const filter of [
      'owner=globex',
      'environment=test',
      'state=disabled',
      'scope=reports:read',
      `text=${test.key.id.toUpperCase()}`,
    ]) {
      const { keys } = (await send(`GET /v1/keys?${filter}`, { as })).json()
      assert.deepEqual(
        keys.map(({ name }: { name: string }) => name),
        ['f'],
        filter,
      )
    }
    for (const filter of [
      'environment=moon',
      'state=lost',
      'cursor=x',
      'limit=0',
      'limit=1001',
      'owner=',
      'owner=a&owner=b',
    ]) {
      assert.equal((await send(`GET /v1/keys?${filter}`, { as })).statusCode, 422, filter)
    }
  },
)

scenario(
  'the journal is read page by page, by key, owner, actor and time, and its chain is checked',
  async ({ send, admin, issue, keyring, clock }) => {
    const as = await admin()
    const start = clock.now()
    clock.advance(1000)
    const { key } = await issue()
    await keyring.changeOwner('acme', { limits: [{ name: 'all', limit: 9, window: 60 }] })
    const other = (await send('POST /v1/keys', { as, body: { name: 'x', owner: 'globex', scopes: [] } })).json().key
    const seqs = async (query: string): Promise<readonly number[]> => {
      const { entries } = (await send(`GET /v1/journal?${query}`, { as })).json()
      return entries.map(({ seq }: { seq: number }) => seq)
    }
    const page = (await send('GET /v1/journal?limit=3&order=oldest', { as })).json()
    const last = (await send(`GET /v1/journal?limit=3&order=oldest&cursor=${page.cursor}`, { as })).json()
    assert.deepEqual([last.entries.length, last.cursor], [1, null])
    assert.deepEqual([...page.entries, ...last.entries], JSON.parse(JSON.stringify(await entriesOf(keyring))))
    assert.deepEqual(await seqs(`key=${key.id}`), [2])
    assert.deepEqual(await seqs('owner=acme'), [3, 2], 'those on its keys too, the newest first')
    assert.deepEqual(await seqs('action=issue&order=oldest&after=1'), [2, 4])
    assert.equal((await send(`GET /v1/journal?cursor=${page.cursor}`, { as })).statusCode, 422, 'of another order')
    assert.deepEqual(
      [last.entries[0].actorName, last.entries[0].subjectName, last.entries[0].change.owner],
      [as.key.name, 'x', 'globex'],
    )
    assert.deepEqual(await seqs(`actor=${as.key.id}`), [4])
    assert.equal(last.entries[0].subject, other.id)
    assert.deepEqual(await seqs(`from=${start}&to=${start + 1000}`), [1])
    assert.deepEqual(await seqs(`from=${start + 1000}&limit=1&order=oldest`), [2])

    const report = (await send('GET /v1/journal/verify', { as })).json()
    assert.deepEqual(report, { intact: true, entries: 4, head: { seq: 4, hash: last.entries[0].hash } })
    const atCheckpoint = async (hash: string): Promise<unknown> =>
      (await send(`GET /v1/journal/verify?seq=2&hash=${hash}`, { as })).json()
    assert.deepEqual(await atCheckpoint(page.entries[1].hash), report)
    assert.deepEqual(await atCheckpoint('0'.repeat(64)), { intact: false, entries: 1, at: 2, fault: 'rewritten' })
    assert.equal((await send('GET /v1/journal/verify?seq=2', { as })).statusCode, 422)
    assert.equal((await send(`GET /v1/journal?key=${key.id}&owner=acme`, { as })).statusCode, 422)
  },
)

scenario('usage is told by key, owner, outcome and time', async ({ send, admin, issue, keyring, clock }) => {
  const as = await admin()
  const { key, secret } = await issue()
  const ask = (body: object): Promise<unknown> => send('POST /v1/verify', { as, body: { credential: secret, ...body } })
  for (const scopes of [undefined, undefined, ['orders:write']]) await ask({ scopes })
  await ask({ dryRun: true })
  await keyring.flushUsage()
  const hour = clock.now() - (clock.now() % 3_600_000)
  const usage = async (query: string): Promise<unknown> => (await send(`GET /v1/usage?${query}`, { as })).json().usage
  const place = { hour, key: key.id, owner: 'acme', environment: 'live', limitName: '' }
  const accepted = { ...place, outcome: 'accepted', count: 2, cost: 2 }
  const refused = { ...place, outcome: 'insufficient_scope', count: 1, cost: 0 }
  assert.deepEqual(await usage('owner=acme'), [accepted, refused])
  assert.deepEqual(await usage('owner=acme&order=newest'), [refused, accepted])
  const first = (await send('GET /v1/usage?owner=acme&limit=1', { as })).json()
  assert.deepEqual(first.usage, [accepted])
  const next = (await send(`GET /v1/usage?owner=acme&limit=1&cursor=${first.cursor}`, { as })).json()
  assert.deepEqual(next, { usage: [refused], cursor: null })
  const sums = (await send('GET /v1/usage/series?by=owner&owner=acme&step=hour&top=1', { as })).json()
  assert.deepEqual([sums.step, sums.by, sums.to - sums.from, sums.series.length], ['hour', 'owner', 86_400_000, 1])
  assert.deepEqual([sums.series[0].group, sums.series[0].total], ['acme', { count: 3, cost: 2 }])
  assert.deepEqual([sums.series[0].count.at(-1), sums.others.total.count], [3, 0])
  for (const wrong of ['by=limit', 'step=week', 'top=51', 'by=key&from=0', 'step=hour&from=0', 'limit=3', 'top=2']) {
    assert.equal((await send(`GET /v1/usage/series?${wrong}`, { as })).statusCode, 422, wrong)
  }
  for (const wrong of [
    'order=best',
    'outcome=lost',
    'environment=moon',
    'cursor=x',
    `order=newest&cursor=${first.cursor}`,
  ]) {
    assert.equal((await send(`GET /v1/usage?${wrong}`, { as })).statusCode, 422, wrong)
  }
  assert.deepEqual(await usage(`key=${key.id}&outcome=accepted`), [accepted])
  assert.deepEqual(await usage('owner=acme&limit=1'), [accepted])
  assert.deepEqual(await usage(`owner=acme&from=0&to=${hour}`), [])
  assert.deepEqual(await usage('owner=globex'), [])
})

scenario(
  'why a call was refused is told by the id of its request, to those who may know',
  async ({ send, admin, issue }) => {
    const as = await admin()
    const { key } = await issue()
    const lacking = await issue({ name: 'No rights', environment: 'admin', scopes: [], owner: 'acme' })
    const refused = await send(`GET /v1/keys/${key.id}`, { as: lacking })
    const { instance } = refused.json() as { instance: string }
    const requestId = instance.replace('urn:uuid:', '')
    const record = (await send(`GET /v1/refusals/${requestId}`, { as })).json()
    const { at, why, instance: process, ...rest } = record
    assert.ok(at > 0 && why.length > 0 && process.length > 0)
    assert.deepEqual(rest, {
      requestId,
      count: 1,
      address: '127.0.0.1',
      route: 'GET /v1/keys/:id',
      requirement: { scopes: ['keys:read'], anyOf: [], environments: ['admin'], cost: 1 },
      code: 'insufficient_scope',
      step: 'scopes',
      keyId: lacking.key.id,
      owner: 'acme',
      environment: 'admin',
      missing: ['keys:read'],
    })
    assert.doesNotMatch(refused.body, /keys:read/, 'the caller is not told')
    assert.equal(
      (await send(`GET /v1/refusals/${instance}`, { as })).json().requestId,
      requestId,
      'or as instance says it',
    )
    const stranger = await admin({
      owner: 'globex',
      delegation: { owner: 'globex', environments: ['live', 'admin'], scopes: [] },
    })
    const unknown = await send(`GET /v1/refusals/${requestId}`, { as: stranger })
    assert.equal(unknown.json().code, 'unknown_refusal')
    const verdict = await send('POST /v1/verify', { as, body: { credential: 'x' } })
    assert.equal(verdict.json().valid, false)
  },
)

scenario('the keyring says which environments and scopes there are', async ({ send, admin, keyring }) => {
  const answer = (await send('GET /v1/keyring', { as: await admin() })).json()
  assert.deepEqual(answer.environments, ['live', 'test'])
  assert.deepEqual(answer.scopes, keyring.scopes)
  assert.deepEqual(answer.adminScopes, keyring.admin.scopes)
})

scenario(
  'one change is read by its number, and the end of the journal with what was checked, by those who see all keys',
  async ({ send, admin, issue, keyring }) => {
    const as = await admin()
    const { key } = await issue()
    const { key: changed } = await keyring.change(key.id, { name: 'Renamed' })
    const found = (await send(`GET /v1/journal/${changed.revision}`, { as })).json()
    assert.deepEqual([found.entry.seq, found.before], [changed.revision, { name: key.name }])
    const absent = await send('GET /v1/journal/999', { as })
    assert.deepEqual([absent.statusCode, absent.json().code], [404, 'unknown_entry'])
    assert.equal((await send('GET /v1/journal/0', { as })).statusCode, 422)
    const {
      checkedTo: _checkedTo,
      checkedAt: _checkedAt,
      ...report
    } = (await send('GET /v1/journal/head', { as })).json()
    assert.deepEqual(report, { head: { seq: changed.revision, hash: found.entry.hash }, intact: true })
    const bound = await admin({
      owner: 'globex',
      delegation: { owner: 'globex', environments: ['live', 'admin'], scopes: [] },
    })
    assert.equal((await send('GET /v1/journal/head', { as: bound })).statusCode, 403)
    assert.equal((await send(`GET /v1/journal/${changed.revision}`, { as: bound })).json().code, 'unknown_entry')
  },
)
