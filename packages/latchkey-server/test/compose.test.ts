import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LatchkeyError } from 'latchkey'
import { beforeRemoval, temporaryFolder } from '../../../test/temporary-folder.ts'
import { compose } from '../src/compose.ts'
import { isInUse } from '../src/store.ts'
import { memorySettings, scenario } from './stage.ts'

const limited = { addresses: ['192.0.2.7'] }
const forwarded = (chain: string): { headers: Record<string, string> } => ({ headers: { 'x-forwarded-for': chain } })

scenario('nobody is believed who a proxy says the caller is, unless the proxy is trusted', async ({ send, admin }) => {
  const as = await admin(limited)
  const answer = await send('GET /v1/keys', { as, ...forwarded('192.0.2.7') })
  assert.deepEqual([answer.statusCode, answer.json().code], [403, 'address_not_allowed'])
})

scenario(
  "the caller's address is the last that no trusted proxy has: what the caller wrote before it counts for nothing",
  async ({ send, admin }) => {
    const as = await admin(limited)
    const statusOf = async (chain: string): Promise<number> =>
      (await send('GET /v1/keys', { as, ...forwarded(chain) })).statusCode
    assert.equal(await statusOf('192.0.2.7'), 200)
    assert.equal(await statusOf('192.0.2.7, 10.1.1.1'), 200)
    assert.equal(await statusOf('192.0.2.7, 198.51.100.1'), 403)
    assert.equal(await statusOf('192.0.2.7, nonsense'), 403)
    assert.equal(await statusOf('10.1.1.1'), 403)
  },
  { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] },
)

scenario(
  'prefix and environments are those of the settings',
  async ({ issue, send, admin }) => {
    const as = await admin({ delegation: { owner: null, environments: ['prod'], scopes: ['orders:*'] } })
    const { secret } = await issue()
    assert.match(secret, /^acme_prod_/)
    assert.equal((await send('POST /v1/verify', { as, body: { credential: secret } })).json().valid, true)
    assert.equal(
      (await send('POST /v1/verify', { as, body: { credential: secret, environment: 'live' } })).statusCode,
      422,
    )
  },
  { prefix: 'acme', environments: ['prod'] },
)

test('what was counted is written on closing, into a file that only its owner reads', async (context) => {
  const folder = temporaryFolder('compose', { context })
  const file = join(folder, 'latchkey.db')
  const settings = memorySettings({ store: `sqlite:${file}`, usageInterval: 3600 })
  const first = await compose(settings)
  beforeRemoval(folder, first.close)
  const { key, secret } = await first.keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  await first.keyring.verify(secret)
  await first.close()
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const second = await compose(settings)
  beforeRemoval(folder, second.close)
  assert.equal((await second.keyring.usage({ key: key.id })).usage[0]?.count, 1)
})

test('a database that cannot be used stops the start with an error that says so', async (context) => {
  const folder = temporaryFolder('compose', { context })
  const file = join(folder, 'latchkey.db')
  writeFileSync(file, 'not a database, whatever its name says. '.repeat(100))
  await assert.rejects(
    compose(memorySettings({ store: `sqlite:${file}` })),
    (error) => error instanceof LatchkeyError && error.code === 'store_unusable',
  )
})

test('a start that stops at what is declared leaves the database closed', async (context) => {
  const store = `sqlite:${join(temporaryFolder('compose', { context }), 'latchkey.db')}`
  await assert.rejects(compose(memorySettings({ store, prefix: 'UPPER' })), LatchkeyError)
  assert.equal(await isInUse(store), false)
})
