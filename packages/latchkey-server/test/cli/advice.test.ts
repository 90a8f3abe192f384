// What messages advise leads out of the trouble: each command that is named is pasted, in its situation, and works.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { skipUnless } from '../../../../test/machine.ts'
import { advised, quoted } from '../../src/cli/advice.ts'
import { certificate, privateKey } from '../../../../test/certificates.ts'
import type { Ran, Workplace } from './running.ts'
import { serve, workplace } from './running.ts'
import { inShell } from './shell.ts'

const issue = ['keys', 'issue', '--create', '--name', 'Key', '--owner', 'acme', '--scope', 'orders:read']

/** The commands in what was said: each in a line of its own, indented. */
function commandsIn({ stdout, stderr }: Pick<Ran, 'stdout' | 'stderr'>): readonly string[] {
  return [...`${stdout}\n${stderr}`.matchAll(/^ {2,}((?:latchkey|chmod) .*)$/gm)].map(([, command = '']) => command)
}

/** Pastes commands that must work; answers what the last one printed. */
async function paste(here: Workplace, commands: readonly string[], env = {}): Promise<string> {
  assert.ok(commands.length > 0, 'a command is advised')
  let printed = ''
  for (const command of commands) {
    const { code, stdout, stderr } = await inShell(here, command, env)
    assert.equal(code, 0, `${command}: ${stdout}${stderr}`)
    printed = stdout.trimEnd()
  }
  return printed
}

describe('without a database', { concurrency: 2 }, () => {
  test('the server that is advised makes one', async () => {
    const here = workplace({ PORT: '0' })
    const said = await here.run(['keys', 'list'])
    assert.equal(said.code, 69)
    const [command = ''] = commandsIn(said)
    assert.deepEqual(commandsIn(await here.run(['doctor'])), [command])
    const child = here.start(command.split(' ').slice(1))
    await once(child.stderr!, 'data')
    assert.equal((await here.run(['keys', 'list'])).code, 0)
  })

  test('--create, which is named, makes one too', async () => {
    const here = workplace()
    const without = issue.filter((word) => word !== '--create')
    assert.match((await here.run(without)).stderr, /add --create to keys issue or keys import/)
    await here.done(issue)
    await here.done(without)
  })
})

test('without an admin key: the command that the server names issues one, from any folder', async () => {
  const here = workplace()
  const child = here.start(['serve', '--port', '0', '--store', "sqlite:it's mine.db"])
  let said = ''
  for await (const chunk of child.stderr!) {
    said += String(chunk)
    if (commandsIn({ stdout: '', stderr: said }).length > 0) break
  }
  const [, url = ''] = /^Serving (\S+),/.exec(said) ?? []
  const key = await paste(workplace(), commandsIn({ stdout: '', stderr: said }))
  const listed = await here.run(['keys', 'list'], { env: { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY: key } })
  assert.equal(listed.code, 0, listed.stderr)
})

describe('tables of an older version', { concurrency: 2 }, () => {
  for (const command of [['keys', 'list'], issue.filter((word) => word !== '--create'), ['doctor']]) {
    test(`${command.slice(0, 2).join(' ')} says what brings them up to date, after a backup`, async () => {
      const here = workplace()
      const store = ['--store', 'sqlite:my keys.db']
      // From before there were any tables: older is none.
      writeFileSync(join(here.folder, 'my keys.db'), '', { mode: 0o600 })
      await paste(here, commandsIn(await here.run([...command, ...store])))
      assert.ok(statSync(join(here.folder, 'before-the-upgrade.db')).isFile())
      await here.done([...command, ...store])
    })
  }
})

describe('doctor', { concurrency: 2 }, () => {
  test('modes that are too open are closed by its commands', async () => {
    const here = workplace()
    await here.done(issue)
    writeFileSync(join(here.folder, '.env'), 'LOG_LEVEL=info\n', { mode: 0o644 })
    chmodSync(join(here.folder, 'data', 'latchkey.db'), 0o644)
    chmodSync(join(here.folder, 'data'), 0o777)
    const said = await here.run(['doctor'])
    assert.equal(said.code, 1)
    assert.equal(commandsIn(said).filter((command) => command.startsWith('chmod')).length, 3)
    await paste(here, commandsIn(said))
    const then = await here.run(['doctor'])
    assert.equal(then.code, 0)
    assert.ok(!commandsIn(then).some((command) => command.startsWith('chmod')))
  })

  test('no admin key, and none that works any more: its command issues one', async () => {
    const here = workplace()
    await here.done(issue)
    for (const reason of ['never issued', 'revoked']) {
      const said = await here.run(['doctor'])
      assert.match(said.stdout, /^warn +admin keys +none works$/m, reason)
      await paste(here, commandsIn(said))
      assert.match(await here.done(['doctor']), /^ok +admin keys +at least one works$/m)
      const admins = await here.done(['keys', 'list', '--environment', 'admin', '--state', 'active'])
      const [id = ''] = admins.split('\n')[1]?.split('\t') ?? []
      await here.done(['keys', 'revoke', id, '--reason', 'other', '--yes'])
    }
  })

  test('a scope that is no longer declared: its command finds the keys that have it', async () => {
    const here = workplace()
    await here.done(issue)
    await here.done([...issue.slice(0, -1), 'orders:read,orders:write'])
    writeFileSync(join(here.folder, 'scopes.json'), '{ "orders:read": "Read orders" }')
    // Declared when it is opened to be changed, as by a server.
    await here.done(['keys', 'issue', '--admin', '--name', 'Operator', '--owner', 'operator'])
    const said = await here.run(['doctor'])
    assert.match(
      said.stdout,
      /^warn +scopes +keys hold scopes that are no longer declared and cannot be used: orders:write$/m,
    )
    const [, row = '', ...more] = (await paste(here, commandsIn(said))).split('\n')
    assert.equal(more.length, 0)
    await here.done(['keys', 'change', row.split('\t')[0] ?? '', '--scope', 'orders:read'])
    assert.deepEqual(commandsIn(await here.run(['doctor'])), [])
  })

  test('a row that was changed by hand is named by the command that it names', async () => {
    const here = workplace()
    await here.done(issue)
    const database = new DatabaseSync(join(here.folder, 'data', 'latchkey.db'))
    database.exec(`UPDATE latchkey_keys SET name = 'Another'`)
    database.close()
    const said = await here.run(['doctor'])
    assert.equal(said.code, 1)
    assert.match(said.stdout, /^FAIL +rows +1 key or owner differs from the journal/m)
    const command = commandsIn(said).find((one) => one.includes('journal')) ?? ''
    assert.match(
      (await inShell(here, command)).stderr,
      /^key_\w+ or one of its secrets was changed outside Latchkey\.$/m,
    )
  })

  test('a row of an older version, of which the journal says nothing, is told of after its commands', async () => {
    const here = workplace()
    await here.done(issue)
    const database = new DatabaseSync(join(here.folder, 'data', 'latchkey.db'))
    const entry = database.prepare('SELECT * FROM latchkey_journal').get() as Readonly<Record<string, string>>
    const { state: _state, ...change } = JSON.parse(entry['change'] ?? '') as { readonly state: string }
    // As it was written before entries told of rows.
    const told = { ...entry, change: JSON.stringify(change) } as Readonly<Record<string, string>>
    const chained = ['seq', 'at', 'actor', 'action', 'subject', 'change', 'previous'].map((member) => told[member])
    const text = hash('sha256', JSON.stringify(chained))
    database.prepare('UPDATE latchkey_journal SET change = ?, hash = ?').run(told['change'] ?? '', text)
    database.exec('INSERT INTO latchkey_untold (subject) SELECT id FROM latchkey_keys')
    database.close()
    const said = await here.run(['doctor'])
    assert.match(said.stdout, /^warn +rows +an older version wrote 1 key or owner that the journal does not record/m)
    await paste(
      here,
      commandsIn(said).filter((one) => !one.includes('issue')),
    )
    assert.match(await here.done(['doctor']), /^ok +journal +intact, 2 entries$/m)
  })

  test('a database that another program has locked is not to be restored from a backup', async () => {
    const here = workplace()
    await here.done(issue)
    const other = new DatabaseSync(join(here.folder, 'data', 'latchkey.db'))
    other.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE other (a)')
    const said = await here.run(['doctor'])
    other.close()
    assert.match(said.stdout, /^FAIL +database +another program has locked it\n +Let the program/m)
    await here.done(['doctor'])
  })

  test('an admin key that a server does not take, or that is missing: another is issued beside its database', async () => {
    const here = workplace()
    const { url, environment } = await serve(here)
    for (const key of ['', 'lk_admin_no-such-key', environment.LATCHKEY_ADMIN_KEY]) {
      if (key === environment.LATCHKEY_ADMIN_KEY) {
        const admins = (await here.done(['keys', 'list', '--environment', 'admin', '--state', 'active'])).split('\n')
        for (const line of admins.slice(1)) {
          const [id = ''] = line.split('\t')
          await here.done(['keys', 'revoke', id, '--reason', 'other', '--yes'])
        }
      }
      const env = { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY: key }
      const said = await here.run(['doctor'], { env })
      assert.notEqual(said.code, 0)
      const issued = await paste(here, commandsIn(said))
      await here.done(['doctor'], { env: { ...env, LATCHKEY_ADMIN_KEY: issued } })
    }
  })

  test('a certificate that is not trusted is, with the variable that it names', async () => {
    const here = workplace()
    writeFileSync(join(here.folder, 'authority.pem'), certificate)
    const server = createServer({ key: privateKey, cert: certificate }, (_, response) => response.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    after(() => server.close())
    const { port } = server.address() as AddressInfo
    const env = { LATCHKEY_URL: `https://localhost:${port}`, LATCHKEY_ADMIN_KEY: 'x' }
    const said = await here.run(['doctor'], { env })
    assert.match(said.stdout, /^FAIL +server .*SELF_SIGNED_CERT\n +Set NODE_EXTRA_CA_CERTS to a file/m)
    const trusting = await here.run(['doctor'], { env: { ...env, NODE_EXTRA_CA_CERTS: 'authority.pem' } })
    assert.match(trusting.stdout, /^ok +server +\/healthz answers 200$/m)
  })
})

test('the secret in an argument: its key is found as the message says, and rotated', async () => {
  const here = workplace()
  const secret = await here.done(issue)
  const said = await inShell(here, `latchkey verify ${secret}`)
  assert.match(said.stderr, /Rotate its key: keys list --text finds it by the first 12 characters/)
  const listed = await here.done(['keys', 'list', '--text', secret.slice(0, 12)])
  const [id = ''] = listed.split('\n')[1]?.split('\t') ?? []
  await here.done(['keys', 'rotate', id, '--grace', '0s'])
  assert.match((await here.run(['verify'], { input: secret })).stdout, /^code +secret_ended$/m)
})

describe('a secret that nobody has', { concurrency: 2 }, () => {
  const noFull = skipUnless(existsSync('/dev/full'), 'there is no /dev/full')
  const verdictOf = async (here: Workplace, secret: string): Promise<number | NodeJS.Signals> =>
    (await here.run(['verify', '--store', 'sqlite:my keys.db'], { input: secret })).code

  test('of a key that was issued: the command gives another, and the key works', { skip: noFull }, async () => {
    const here = workplace()
    const store = "--store 'sqlite:my keys.db'"
    const lost = await inShell(here, `latchkey ${issue.join(' ')} ${store} > /dev/full`)
    assert.equal(lost.code, 1)
    assert.equal(await verdictOf(here, await paste(here, commandsIn(lost))), 0)
  })

  test('of a rotation: the command gives another, and the old secret works on', { skip: noFull }, async () => {
    const here = workplace()
    const old = await here.done([...issue, '--store', 'sqlite:my keys.db'])
    const [, id = ''] =
      /^key +(\w+)$/m.exec((await here.run(['verify', '--store', 'sqlite:my keys.db'], { input: old })).stdout) ?? []
    const rotate = `latchkey keys rotate ${id} --store 'sqlite:my keys.db'`
    const lost = await inShell(here, `${rotate} > /dev/full`)
    assert.equal(lost.code, 1)
    // Who does not read that rotates again, and is told the same.
    const again = await inShell(here, rotate)
    assert.equal(again.code, 4)
    assert.deepEqual(commandsIn(again), commandsIn(lost))
    assert.equal(await verdictOf(here, await paste(here, commandsIn(again))), 0)
    assert.equal(await verdictOf(here, old), 0)
  })
})

describe('a flag that a message names is the one that was missing', () => {
  const here = workplace()

  test('more keys, more entries, more usage', async () => {
    for (let times = 0; times < 3; times++) await here.done(issue)
    for (const list of [
      ['keys', 'list'],
      ['journal', 'show'],
    ]) {
      const { stdout, stderr } = await here.run([...list, '--limit', '1'])
      const [, flag = '', value = ''] = /^There are more \w+: add (--\w+) ([\w-]+), or --all\.$/m.exec(stderr) ?? []
      const rest = await here.done([...list, flag, value])
      const all = await here.done([...list, '--all'])
      assert.equal([...stdout.trimEnd().split('\n'), ...rest.split('\n').slice(1)].join('\n'), all)
    }
  })

  test('--yes, --plain, --url, --help', async () => {
    const secret = await here.done(issue)
    const verdict = await here.done(['verify'], { input: secret })
    const [, id = ''] = /^key +(\w+)$/m.exec(verdict) ?? []
    const revoke = ['keys', 'revoke', id, '--reason', 'other']
    assert.match((await here.run(revoke)).stderr, /add --yes\.$/m)
    await here.done([...revoke, '--yes'])
    const input = '{"name":"Old","owner":"acme","scopes":[],"key":"an-old-key-of-some-length-7f3a9c2e"}'
    assert.match((await here.run(['keys', 'import'], { input })).stderr, /--plain\.$/m)
    await here.done(['keys', 'import', '--plain'], { input })
    for (const wrong of ['lsit', 'rotat', 'keys', 'owners shwo']) {
      const { stderr } = await here.run(wrong.split(' '))
      const [, see = ''] = /^See latchkey ?(.*) --help\.$/m.exec(stderr) ?? []
      await here.done([...see.split(' ').filter((word) => word !== ''), '--help'])
      const [, meant] = /Did you mean latchkey (.*)\?/.exec(stderr) ?? []
      if (meant !== undefined) await here.done([...meant.split(' '), '--help'])
    }
  })
})

test('a command is advised with the flags that lead to the same keyring, as a shell takes them', async () => {
  const here = workplace()
  mkdirSync(join(here.folder, 'a b'))
  const store = "sqlite:a b/it's $HOME.db"
  assert.equal(advised('keys list'), 'latchkey keys list')
  assert.equal(quoted('data/latchkey.db'), 'data/latchkey.db')
  await here.done([...issue, '--store', store])
  assert.match(await paste(here, [advised('keys list', { store, scopes: 'scopes.json' })]), /\tKey\tacme\t/)
})
