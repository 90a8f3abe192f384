// Most tests let commands take turns in one process. What a command comes to there is what it comes to in its own.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RunOptions } from './running.ts'
import { workplace } from './running.ts'

const here = workplace()
writeFileSync(join(here.folder, '.env'), 'LATCHKEY_PREFIX=acme\n')
const issue = ['keys', 'issue', '--name', 'Key', '--owner', 'acme', '--scope', 'orders:read']
const secret = await here.done([...issue, '--create'], { alone: true })

const commands: readonly (readonly [line: string, options?: RunOptions])[] = [
  ['--version'],
  [''],
  ['--help'],
  ['keys list'],
  ['keys list --json', { env: { LATCHKEY_STORE: 'sqlite:elsewhere.db' } }],
  ['keys list', { env: { LATCHKEY_PREFIX: 'UPPER' } }],
  ['keys list --url http://127.0.0.1:1', { env: { LATCHKEY_ADMIN_KEY: 'lk_admin_none' } }],
  ['keys show nothing'],
  ['keys import', { input: '' }],
  ['keys import', { input: '{"name":1}\n' }],
  ['verify', { input: secret }],
  ['verify', { input: 'no secret of ours' }],
  ['verify', { env: { LATCHKEY_CREDENTIAL: secret } }],
  ['journal verify --json'],
  ['backup .'],
  ['doctor', { env: { LATCHKEY_SCOPES_FILE: 'missing.json' } }],
]

for (const [line, options] of commands) {
  test(`latchkey ${line} ${Object.keys(options?.env ?? {}).join(' ')}`, async () => {
    const values = line === '' ? [] : line.split(' ')
    const alone = await here.run(values, { ...options, alone: true })
    assert.deepEqual(await here.run(values, options), alone)
    // Whatever came before.
    assert.deepEqual(await here.run(values, options), alone)
  })
}
