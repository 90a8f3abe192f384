// Keys that better-auth has made are exported and imported as the guide says, and the guard accepts them.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { temporaryFolder } from '../../test/temporary-folder.ts'

const root = join(import.meta.dirname, '..', '..')
const guide = readFileSync(join(root, 'docs', 'guides', 'moving-from-better-auth.md'), 'utf8')
const [, query = ''] = /```sql\n([^]*?)```/.exec(guide) ?? []
const scopes = { 'documents:read': 'Read documents', 'documents:write': 'Change documents' }
const day = 86_400_000

/** Three keys as a user of better-auth makes them, in a database of its own. */
async function keysOfBetterAuth(database: DatabaseSync) {
  const auth = betterAuth({
    database,
    secret: 'a secret of forty characters for a test!',
    baseURL: 'http://localhost:3000',
    emailAndPassword: { enabled: true },
    plugins: [apiKey({ enableMetadata: true })],
    logger: { disabled: true },
    telemetry: { enabled: false },
  })
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
  const { user } = await auth.api.signUpEmail({
    body: { email: 'ann@example.com', password: 'password-of-ann', name: 'Ann' },
  })
  const create = (body: object) => auth.api.createApiKey({ body: { userId: user.id, ...body } })
  const full = await create({
    name: 'Shop',
    prefix: 'shop_',
    permissions: { documents: ['read', 'write'] },
    metadata: { plan: 'pro', seats: [1, { of: 5 }] },
    remaining: 100,
    refillAmount: 100,
    refillInterval: day,
    expiresIn: 30 * 24 * 3600,
    rateLimitMax: 7,
    rateLimitTimeWindow: 60_000,
  })
  const bare = await create({ permissions: { documents: ['read'] }, rateLimitEnabled: false })
  const disabled = await create({ name: 'Old, "quoted"', permissions: { documents: ['export'] } })
  await auth.api.updateApiKey({ body: { keyId: disabled.id, userId: user.id, enabled: false } })
  await auth.api.verifyApiKey({ body: { key: full.key } })
  return { user: user.id, full: full.key, bare: bare.key, disabled: disabled.key }
}

function csvOf(rows: readonly Readonly<Record<string, string | number | null>>[]): string {
  const field = (value: string | number | null): string =>
    value === null ? '' : `"${String(value).replaceAll('"', '""')}"`
  const records = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))]
  return records.map((record) => `${record.map(field).join(',')}\n`).join('')
}

for (const format of ['csv', 'jsonl'] as const) {
  test(`keys that better-auth has made are accepted by the guard after an import of ${format}`, async () => {
    const folder = temporaryFolder('better-auth')
    const theirs = new DatabaseSync(join(folder, 'app.db'))
    const made = await keysOfBetterAuth(theirs)
    const rows = theirs.prepare(query).all() as Record<string, string | number | null>[]
    theirs.close()
    const text = format === 'csv' ? csvOf(rows) : rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    for (const key of [made.full, made.bare, made.disabled]) assert.ok(!text.includes(key), 'the file has no keys')
    writeFileSync(join(folder, `apikey.${format}`), text)
    writeFileSync(join(folder, 'scopes.json'), JSON.stringify(scopes))
    const run = (...flags: readonly string[]) => {
      const main = join(root, 'packages', 'latchkey-server', 'src', 'main.ts')
      const command = ['--conditions=@latchkey/source', main, 'keys', 'import', '--create', '--from', 'better-auth']
      const { PATH } = process.env
      const env = { PATH, LATCHKEY_SCOPES_FILE: 'scopes.json', LATCHKEY_STORE: 'sqlite:latchkey.db' }
      const done = spawnSync(process.execPath, [...command, `apikey.${format}`, ...flags], {
        cwd: folder,
        env,
        encoding: 'utf8',
      })
      return [done.status, done.stderr] as const
    }
    const [code, said] = run()
    assert.equal(code, 2, said)
    assert.match(said, /^ {2}--map-scope "documents:export=…"$/m)
    const [ended, told] = run('--map-scope', 'documents:export=documents:read')
    assert.equal(ended, 0, told)
    assert.match(told, /^Line \d: taken without the moment of its refill.*\n3 keys imported\.$/m)

    const keyring = await openKeyring({ store: sqliteStore({ file: join(folder, 'latchkey.db') }), scopes })
    const { plugin, requires, keyOf } = fastifyGuard(keyring)
    const app = Fastify()
    await app.register(plugin)
    app.get('/', { onRequest: requires('documents:read') }, (request) => keyOf(request))
    app.put('/', { onRequest: requires('documents:write') }, () => 'written')
    const send = (method: 'GET' | 'PUT', key: string) => app.inject({ method, url: '/', headers: { 'x-api-key': key } })
    const seen = (await send('GET', made.full)).json()
    assert.deepEqual(
      [seen.name, seen.owner, seen.scopes, seen.metadata],
      ['Shop', made.user, ['documents:read', 'documents:write'], { plan: 'pro', seats: [1, { of: 5 }] }],
    )
    assert.equal((await send('PUT', made.full)).statusCode, 200)
    assert.equal((await send('GET', made.bare)).statusCode, 200)
    assert.equal((await send('PUT', made.bare)).statusCode, 403)
    assert.equal((await send('GET', made.disabled)).statusCode, 401)
    assert.equal((await send('GET', made.full.slice('shop_'.length))).statusCode, 401)
    const { keys } = await keyring.list({ owner: made.user })
    const full = keys.find(({ name }) => name === 'Shop')
    assert.ok(full)
    const details = await keyring.find(full.id)
    assert.deepEqual(
      [details?.quota, details?.quotaLeft?.remaining, details?.limits, details?.start],
      [
        { amount: 100, refill: 'day' },
        97,
        [{ name: 'rate', limit: 7, window: 60 }],
        'shop_m'.slice(0, 5) + made.full[5],
      ],
    )
    assert.ok(Math.abs((details?.expiresAt ?? 0) - Date.now() - 30 * day) < 600_000)
    assert.ok(details?.lastUsedAt !== null && details?.createdAt !== undefined && details.createdAt <= Date.now())
    const old = keys.find(({ name }) => name === 'Old, "quoted"')
    assert.equal(old?.state, 'disabled')
    await app.close()
    await keyring.close()
  })
}
