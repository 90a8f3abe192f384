// The OpenAPI documents as `redocly lint` sees them, without a warning: the server's, with declared scopes and without,
// and the example's. Redocly would report its use to its makers and look for a newer version; both are off, so that it
// needs no network.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { testKeyring } from 'latchkey/testing'
import { buildApp } from '../examples/process-api/src/app.ts'
import { scopes as exampleScopes } from '../examples/process-api/src/keys.ts'
import { compose } from '../packages/latchkey-server/src/compose.ts'
import { readSettings } from '../packages/latchkey-server/src/config.ts'

const settings = readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:' } })
const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }

async function server(declared: Readonly<Record<string, string>>): Promise<FastifyInstance> {
  return (await compose({ ...settings, scopes: declared })).app
}

async function example(): Promise<FastifyInstance> {
  const { keyring } = await testKeyring({ scopes: exampleScopes })
  return buildApp({ keyring, work: async () => true })
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-documents-'))
try {
  const applications = {
    server: await server(scopes),
    'server-without-scopes': await server({}),
    example: await example(),
  }
  const files: string[] = []
  for (const [name, app] of Object.entries(applications)) {
    const file = join(folder, `${name}.json`)
    writeFileSync(file, (await app.inject('/openapi.json')).body)
    files.push(file)
    await app.close()
  }
  const root = join(import.meta.dirname, '..')
  const { status, stdout, stderr, error } = spawnSync('redocly', ['lint', '--format', 'stylish', ...files], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_NOTIFICATIONS: 'true' },
  })
  console.log(error?.message ?? stdout + stderr)
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true })
}
