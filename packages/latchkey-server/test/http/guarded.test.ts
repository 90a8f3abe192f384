import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteOptions } from 'fastify'
import Fastify from 'fastify'
import { adminScopes } from 'latchkey'
import { testKeyring } from 'latchkey/testing'
import { latchkeyServer, serverOptions } from '../../src/index.ts'
import type { Holder, Stage } from '../stage.ts'
import { everything, openStage, scopes } from '../stage.ts'

/** A route as it was declared: for everyone, or for admin keys with these scopes. */
interface Declared {
  readonly line: string
  readonly requirement: 'open' | { readonly allOf?: readonly string[]; readonly anyOf?: readonly string[] }
}

/** Every route of the server, as Fastify is told of it. */
async function declaredRoutes(): Promise<readonly Declared[]> {
  const added: RouteOptions[] = []
  const { keyring } = await testKeyring({ scopes })
  const app = Fastify(serverOptions)
  app.addHook('onRoute', (route) => void added.push(route))
  await app.register(latchkeyServer, { keyring })
  await app.ready()
  await app.close()
  await keyring.close()
  return added.flatMap(({ method, url, onRequest }) => {
    const hooks = [onRequest ?? []].flat() as unknown as readonly Record<symbol, Declared['requirement']>[]
    const declared = hooks.map((hook) => hook[Symbol.for('latchkey.declaration')]).find((one) => one !== undefined)
    assert.ok(declared, `${String(method)} ${url} declares nothing`)
    return [method].flat().map((one) => ({ line: `${one} ${url}`, requirement: declared }))
  })
}

const routes = await declaredRoutes()

/** The guarded ones, with the scopes that they name, and such of them as are enough. */
const guarded = routes.flatMap(({ line, requirement }) => {
  if (requirement === 'open') return []
  const { allOf = [], anyOf = [] } = requirement
  return [{ line, named: [...allOf, ...anyOf], enough: [...allOf, ...anyOf.slice(0, 1)] }]
})

/** What every admin key may ask, with whatever scopes. */
const forAnyKey = ['GET /v1/whoami', 'HEAD /v1/whoami']

test('only these routes are open, and every other one but whoami requires a scope', () => {
  const open = routes.filter(({ requirement }) => requirement === 'open').map(({ line }) => line)
  const outside = open.filter((line) => !/^(?:GET|HEAD) \/docs/.test(line))
  assert.deepEqual(outside.toSorted(), [
    'GET /.well-known/jwks.json',
    'GET /healthz',
    'GET /openapi.json',
    'GET /readyz',
    'HEAD /.well-known/jwks.json',
    'HEAD /healthz',
    'HEAD /openapi.json',
    'HEAD /readyz',
  ])
  assert.ok(guarded.length > 20)
  const unscoped = guarded.filter(({ enough }) => enough.length === 0).map(({ line }) => line)
  assert.deepEqual(unscoped.toSorted(), forAnyKey)
})

test('every route requires the scope that the contract says', () => {
  const said: Readonly<Record<string, readonly string[]>> = {
    'keys:read': ['GET /v1/counts', 'GET /v1/keys', 'GET /v1/keys/:id'],
    'keys:read,keys:verify': ['GET /v1/keyring'],
    'keys:write': [
      'POST /v1/keys',
      'POST /v1/keys/bulk',
      'POST /v1/keys/import',
      'PATCH /v1/keys/:id',
      ...['rotate', 'retire', 'disable', 'enable', 'revoke'].map((verb) => `POST /v1/keys/:id/${verb}`),
    ],
    'keys:erase': ['DELETE /v1/keys/:id'],
    'keys:verify': ['POST /v1/verify', 'POST /v1/verify/batch'],
    'owners:read': ['GET /v1/owners', 'GET /v1/owners/:owner'],
    'owners:write': ['PATCH /v1/owners/:owner'],
    'owners:erase': ['DELETE /v1/owners/:owner'],
    'journal:read': ['GET /v1/journal', 'GET /v1/journal/:seq', 'GET /v1/journal/head', 'GET /v1/journal/verify'],
    'usage:read': ['GET /v1/usage', 'GET /v1/usage/series'],
    'refusals:read': ['GET /v1/refusals', 'GET /v1/refusals/:requestId'],
    'metrics:read': ['GET /metrics'],
    'refusals:read,journal:read,usage:read': ['GET /v1/why'],
  }
  const expected = Object.entries(said).flatMap(([scope, lines]) => lines.map((line) => `${line} ${scope}`))
  const found = guarded
    .filter(({ line }) => !line.startsWith('HEAD') && !forAnyKey.includes(line))
    .map(({ line, named }) => `${line} ${String(named)}`)
  assert.deepEqual(found.toSorted(), expected.toSorted())
})

/** Requests that are answered with 2xx when the key is right, so that they would have an effect if it got through. */
function requestFor(
  line: string,
  { target, spare }: { readonly target: Holder; readonly spare: string },
): { line: string; body?: object } {
  const key = { name: 'New', owner: 'acme', scopes: ['orders:read'] }
  const bodies: Readonly<Record<string, object>> = {
    'POST /v1/keys': key,
    'POST /v1/keys/bulk': { keys: [key, key] },
    'POST /v1/keys/import': { keys: [{ ...key, algorithm: 'sha256', bits: 128, hash: spare.padEnd(64, '0') }] },
    'PATCH /v1/keys/:id': { name: `Renamed ${spare}` },
    'POST /v1/keys/:id/revoke': { reason: 'unused' },
    'PATCH /v1/owners/:owner': { limits: [{ name: 'shared', limit: 9, window: 60 }] },
    'POST /v1/verify': { credential: target.secret, scopes: ['orders:read'] },
    'POST /v1/verify/batch': { calls: [{ credential: target.secret }] },
  }
  const written = line.replace(':id', target.key.id).replace(':owner', 'acme').replace(':seq', '1')
  const body = bodies[line]
  return { line: written, ...(body === undefined ? {} : { body }) }
}

/** All that a request could have changed or spent. */
async function standing({ keyring, changes }: Stage, target: Holder): Promise<unknown> {
  const { key } = target
  return [await changes(), await keyring.find(key.id), await keyring.owner('acme')]
}

const callers: Readonly<Record<string, (stage: Stage, named: readonly string[]) => Promise<Holder | undefined>>> = {
  'no key': async () => undefined,
  'an application key': async ({ issue }) => issue({ scopes: ['orders:*', 'reports:*'] }),
  'an admin key without the scope': async ({ admin }, named) =>
    admin({ scopes: Object.keys(adminScopes).filter((scope) => !named.includes(scope)) }),
  'a revoked admin key': async ({ admin, keyring }) => {
    const holder = await admin()
    await keyring.revoke(holder.key.id, { reason: 'unused' })
    return holder
  },
  'a disabled admin key': async ({ admin, keyring }) => {
    const holder = await admin()
    await keyring.disable(holder.key.id)
    return holder
  },
  'an admin key whose owner is disabled': async ({ admin, keyring }) => {
    const holder = await admin({ owner: 'gone' })
    await keyring.changeOwner('gone', { disabled: true })
    return holder
  },
  'an expired admin key': async ({ admin, clock }) => {
    const holder = await admin({ expiresAt: clock.now() + 1000 })
    clock.advance(1000)
    return holder
  },
}

const fresh = { quota: { amount: 100 }, limits: [{ name: 'burst', limit: 100, window: 60 }] }

for (const [who, callerOf] of Object.entries(callers)) {
  test(`no guarded route does anything for ${who}`, async () => {
    const stage = await openStage()
    const target = await stage.issue(fresh)
    for (const { line, named } of guarded) {
      if (who === 'an admin key without the scope' && forAnyKey.includes(line)) continue
      const caller = await callerOf(stage, named)
      const before = await standing(stage, target)
      const { line: written, body } = requestFor(line, { target, spare: 'a' })
      const answer = await stage.send(written, { as: caller, body })
      const expected = who === 'an application key' || who === 'an admin key without the scope' ? 403 : 401
      assert.equal(answer.statusCode, expected, line)
      assert.deepEqual(await standing(stage, target), before, line)
      if (!line.startsWith('HEAD')) assert.equal(answer.json().status, expected, line)
    }
    await stage.finish()
  })
}

test('an admin key that is bound to another owner sees and changes nothing of this one', async () => {
  const stage = await openStage()
  const target = await stage.issue(fresh)
  const bound = await stage.admin({ owner: 'globex', delegation: { ...everything, owner: 'globex' } })
  for (const { line } of guarded) {
    const before = await standing(stage, target)
    const { line: written, body } = requestFor(line, { target, spare: 'b' })
    const answer = await stage.send(written, { as: bound, body })
    assert.deepEqual(await standing(stage, target), before, line)
    assert.ok(!answer.body.includes(target.key.id) && !answer.body.includes('acme'), `${line}: ${answer.body}`)
    // What is about no owner is answered; so are lists, which then are empty, and the question after a key, which is unknown.
    const general = [
      '/v1/keyring',
      '/v1/whoami',
      '/metrics',
      '/v1/keys',
      '/v1/usage',
      '/v1/usage/series',
      '/v1/counts',
      '/v1/owners',
      '/v1/refusals',
    ]
    const path = line.split(' ')[1] ?? ''
    if (line === 'POST /v1/verify') assert.equal(answer.json().code, 'unknown')
    else if (line === 'POST /v1/verify/batch') assert.equal(answer.json().verdicts[0].code, 'unknown')
    else if (!general.includes(path) || line.startsWith('POST'))
      assert.ok([403, 404].includes(answer.statusCode), `${line}: ${answer.statusCode}`)
  }
  await stage.finish()
})

test('the same requests get through with the right key: the tables above say something', async () => {
  const stage = await openStage()
  const admin = await stage.admin()
  for (const [index, { line, enough }] of guarded.entries()) {
    const target = await stage.issue(fresh)
    if (line.endsWith('/retire')) await stage.keyring.rotate(target.key.id)
    if (line === 'DELETE /v1/keys/:id') await stage.keyring.revoke(target.key.id, { reason: 'unused' })
    if (line === 'DELETE /v1/owners/:owner') await stage.keyring.changeOwner('acme', { disabled: true })
    if (line.endsWith('/enable')) await stage.keyring.disable(target.key.id)
    const holder = line.startsWith('POST /v1/keys') ? admin : await stage.admin({ scopes: enough })
    const before = JSON.stringify(await standing(stage, target))
    const { line: written, body } = requestFor(line, { target, spare: `c${index}` })
    const answer = await stage.send(written, { as: holder, body })
    if (line.includes(':requestId')) assert.equal(answer.statusCode, 404)
    else assert.ok([200, 201].includes(answer.statusCode), `${line}: ${answer.statusCode} ${answer.body}`)
    if (!/^(?:GET|HEAD) /.test(line)) assert.notEqual(JSON.stringify(await standing(stage, target)), before, line)
  }
  await stage.finish()
})
