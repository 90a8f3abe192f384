// The command line and the server on the database of an application that declares its scopes in code.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { beforeRemoval } from '../../../../test/temporary-folder.ts'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Workplace } from './running.ts'
import { jsonLines, serve, workplace } from './running.ts'

/** A workplace without a scopes file, and the database of an application in it. */
async function ofAnApplication() {
  const here = workplace({ LATCHKEY_SCOPES_FILE: '' })
  const application = await openKeyring({
    store: sqliteStore({ file: join(here.folder, 'data', 'latchkey.db') }),
    scopes: { 'process:run': 'Run a task', 'process:stop': 'Stop a task' },
    prefix: 'acme',
    environments: ['prod', 'staging'],
  })
  beforeRemoval(here.folder, application.close)
  const { secret } = await application.issue({ name: 'Runner', owner: 'acme', scopes: ['process:run'] })
  return { here, application, secret }
}

/** What a server says when it starts, until it says where it listens and what it has to warn of. */
async function warningsOf(
  { start }: Workplace,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const child = start(['serve', '--port', '0'], { env })
  let log = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (log += text))
  // The last line at the start: there is no admin key.
  let said = ''
  child.stderr?.setEncoding('utf8')
  while (!said.includes('There is no admin key yet')) {
    const [text] = (await once(child.stderr!, 'data')) as [string]
    said += text
  }
  child.kill('SIGTERM')
  await once(child, 'close')
  const warnings = jsonLines(log).flatMap(({ level, msg }) => (level === 40 ? [String(msg)] : []))
  // The application is that other process, and not what is asked about here.
  return warnings.filter((warning) => !warning.startsWith('another process uses the database too'))
}

describe('the database of an application', { concurrency: 2 }, () => {
  test('where none is declared a key needs no scope; where one is, it is asked for', async () => {
    const none = workplace({ LATCHKEY_SCOPES_FILE: '' })
    const issue = ['keys', 'issue', '--create', '--name', 'K', '--owner', 'o']
    const secret = await none.done(issue)
    assert.equal((await none.run(['verify'], { input: secret })).code, 0)
    const admin = await none.run([...issue, '--environment', 'admin'])
    assert.deepEqual([admin.code, admin.stderr], [2, 'A new key needs --scope (or --admin).\n'])
    const some = await workplace().run(issue)
    assert.deepEqual([some.code, some.stderr], [2, 'A new key needs --scope (or --admin).\n'])
    const fewer = await none.run(['keys', 'issue', '--name', 'K'])
    assert.deepEqual([fewer.code, fewer.stderr], [2, 'A new key needs --name, --owner and --scope (or --admin).\n'])
  })

  test('its scopes, environments and prefix are known to every command', async () => {
    const { here, application, secret } = await ofAnApplication()
    const accepted = await here.run(['verify', '--scope', 'process:run'], { input: secret })
    assert.equal(accepted.code, 0, accepted.stderr)
    assert.match(accepted.stdout, /^environment +prod\nscopes +process:run$/m)
    const refused = await here.run(['verify', '--scope', 'process:stop'], { input: secret })
    assert.match(refused.stdout, /^code +insufficient_scope$/m)
    const made = await here.done(['keys', 'issue', '--name', 'Other', '--owner', 'acme', '--scope', 'process:*'])
    assert.match(made, /^acme_prod_/)
    const verdict = await application.verify(made, { allOf: ['process:stop'] })
    assert.ok(verdict.ok)
    assert.match(await here.done(['doctor']), /^ok +scopes +2 declared$/m)
  })

  test('a scope or an environment that is not there is an error and no verdict', async () => {
    const { here, secret } = await ofAnApplication()
    const wrong = [
      [['--scope', 'process:rum'], /"process:rum" is not declared/],
      [['--any-scope', 'process:run,no:such'], /"no:such" is not declared/],
      [['--environment', 'live'], /environment must be one of prod, staging/],
    ] as const
    for (const [flags, says] of wrong) {
      const { code, stdout, stderr } = await here.run(['verify', ...flags], { input: secret })
      assert.deepEqual([code, stdout], [2, ''], stderr)
      assert.match(stderr, says)
    }
    const issued = await here.run(['keys', 'issue', '--name', 'x', '--owner', 'x', '--scope', 'no:such'])
    assert.equal(issued.code, 2)
    assert.match(issued.stderr, /Declared: process:run, process:stop\./)
  })

  test('over HTTP too', async () => {
    const { here, secret } = await ofAnApplication()
    const { environment: env } = await serve(here)
    const ask = async (...flags: readonly string[]) => here.run(['verify', ...flags], { env, input: secret })
    assert.equal((await ask('--scope', 'process:run')).code, 0)
    for (const flags of [
      ['--scope', 'process:rum'],
      ['--environment', 'live'],
    ]) {
      const { code, stdout, stderr } = await ask(...flags)
      assert.deepEqual([code, stdout], [2, ''], stderr)
    }
  })

  test('a server without a scopes file has those of the application, and with one that lacks some says which', async () => {
    const { here, secret } = await ofAnApplication()
    assert.deepEqual(await warningsOf(here), [])
    writeFileSync(join(here.folder, 'fewer.json'), '{ "process:stop": "Stop a task" }')
    const [lost = '', ...more] = await warningsOf(here, { LATCHKEY_SCOPES_FILE: 'fewer.json' })
    assert.match(lost, /cannot be used: process:run\./)
    assert.deepEqual(more, [])
    // What was declared last holds: a file that is forgotten afterwards does not bring them back.
    const { stdout } = await here.run(['verify'], { input: secret })
    assert.match(stdout, /^scopes +none$/m)
    assert.match(
      await here.done(['doctor']),
      /keys hold scopes that are no longer declared and cannot be used: process:run/,
    )
  })
})

test('a database in which nobody has declared any scope is not one without scopes', async () => {
  const here = workplace({ LATCHKEY_SCOPES_FILE: '' })
  const [warning = ''] = await warningsOf(here)
  assert.match(warning, /no scopes are declared/)
  const secret = await here.done(['keys', 'issue', '--admin', '--name', 'Admin', '--owner', 'operator'])
  const asked = await here.run(['verify', '--scope', 'process:run'], { input: secret })
  assert.equal(asked.code, 78)
  assert.match(asked.stderr, /^No scopes are declared in this database, so no scope can be checked\./)
  const issued = await here.run(['keys', 'issue', '--name', 'x', '--owner', 'x', '--scope', 'process:run'])
  assert.equal(issued.code, 2)
  assert.match(issued.stderr, /is not declared\. Nothing is: scopes are declared by/)
})
