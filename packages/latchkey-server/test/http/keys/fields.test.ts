import assert from 'node:assert/strict'
import { importable, settable, settableOnce } from '../../../src/http/keys/fields.ts'
import type { Stage } from '../../stage.ts'
import { everything, scenario } from '../../stage.ts'

type Examples = Readonly<Record<string, unknown>>

function examplesOf(rows: Readonly<Record<string, { readonly example: unknown }>>): Examples {
  return Object.fromEntries(Object.entries(rows).map(([name, { example }]) => [name, example]))
}

/** The examples of the fields of a key that is no admin key. */
const { delegation, ...changeable } = examplesOf(settable)
const whole = { ...changeable, ...examplesOf(settableOnce) }

function assertHas(key: Examples, wanted: Examples): void {
  for (const [name, value] of Object.entries(wanted)) assert.deepEqual(key[name], value, name)
}

async function issue(stage: Stage): Promise<string> {
  return (await stage.issue()).key.id
}

scenario('a key is issued with the example of every field, and answers them all', async ({ send, admin }) => {
  const as = await admin()
  const answer = await send('POST /v1/keys', { as, body: whole })
  assert.equal(answer.statusCode, 201, answer.body)
  assertHas(answer.json().key, whole)
  const [listed] = (await send('GET /v1/keys?owner=acme', { as })).json().keys
  assertHas(listed, whole)
})

scenario('a key is imported with the example of every field, and answers all that is told', async ({ send, admin }) => {
  const body = { keys: [{ ...whole, ...examplesOf(importable) }] }
  const answer = await send('POST /v1/keys/import', { as: await admin(), body })
  assert.equal(answer.statusCode, 201, answer.body)
  assertHas(answer.json().created[0], { ...whole, start: importable.start.example })
})

scenario('a key is changed to the example of every field that can be changed', async (stage) => {
  const answer = await stage.send(`PATCH /v1/keys/${await issue(stage)}`, { as: await stage.admin(), body: changeable })
  assert.equal(answer.statusCode, 200, answer.body)
  assertHas(answer.json().key, changeable)
})

scenario('null clears the fields that the table says, and no others', async (stage) => {
  const as = await stage.admin()
  for (const [name, { presence }] of Object.entries(settable)) {
    const answer = await stage.send(`PATCH /v1/keys/${await issue(stage)}`, { as, body: { [name]: null } })
    assert.equal(answer.statusCode, presence === 'clearable' ? 200 : 422, name)
  }
})

scenario('a new key needs the fields that the table says, and no others', async ({ send, admin }) => {
  const as = await admin()
  for (const [name, { presence }] of Object.entries({ ...settable, ...settableOnce })) {
    const answer = await send('POST /v1/keys', { as, body: { ...whole, [name]: undefined } })
    assert.equal(answer.statusCode, presence === 'required' ? 422 : 201, name)
  }
})

scenario('what an admin key may give is set to its example', async ({ send, admin }) => {
  const as = await admin({ delegation: { ...everything, scopes: ['*'] } })
  const body = { ...whole, environment: 'admin', scopes: ['keys:read'], delegation }
  const answer = await send('POST /v1/keys', { as, body })
  assert.equal(answer.statusCode, 201, answer.body)
  assertHas(answer.json().key, body)
})

scenario('a field that only a new key or an import has is refused by its name in every other call', async (stage) => {
  const as = await stage.admin()
  const id = await issue(stage)
  for (const [name, { example }] of Object.entries({ ...settableOnce, ...importable })) {
    const changed = await stage.send(`PATCH /v1/keys/${id}`, { as, body: { [name]: example } })
    assert.equal(changed.statusCode, 422, name)
    assert.match(changed.body, new RegExp(`\\b${name}\\b`))
    if (name in settableOnce) continue
    const issued = await stage.send('POST /v1/keys', { as, body: { ...whole, [name]: example } })
    assert.equal(issued.statusCode, 422, name)
    assert.match(issued.body, new RegExp(`\\b${name}\\b`))
  }
})
