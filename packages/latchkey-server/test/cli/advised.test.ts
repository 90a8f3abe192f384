// What the guides advise: their blocks of commands are run as they stand there, and every command that is named exists.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import type { Command } from 'commander'
import { freePort } from '../../../../test/free-port.ts'
import { noCurl, noNginx, noSystemd, noTerminal } from '../../../../test/machine.ts'
import { readPage } from '../../../../test/markdown.ts'
import { noRedisServer, startRedis } from '../../../../test/redis-server.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { localText } from '../../src/cli/input/when.ts'
import { settingsTable } from '../../src/config.ts'
import { certificate, privateKey } from '../../../../test/certificates.ts'
import type { Workplace } from './running.ts'
import { jsonLines, secretPattern, serve, workplace } from './running.ts'
import { inShell } from './shell.ts'
import { inTerminal } from './terminal.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const pages = [
  ...globSync('docs/**/*.md', { cwd: root }),
  'README.md',
  'SECURITY.md',
  'packages/latchkey-server/README.md',
]

const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** The blocks of a page in one language. */
function blocksOf(page: string, language: string): readonly string[] {
  return readPage(textOf(page)).blocks.flatMap((one) => (one.language === language ? one.code : []))
}

/** The block of a guide that begins with these words. */
function block(guide: string, begins: string, language = 'sh'): string {
  const found = blocksOf(`docs/guides/${guide}.md`, language).find((one) => one.startsWith(begins))
  assert.ok(found !== undefined, `${guide}.md has no block that begins with ${begins}`)
  run.add(found)
  return found
}

/** The blocks that are run below. */
const run = new Set<string>()

describe('the guide to the command line', { concurrency: 2 }, () => {
  test(
    'its start is a start: a file of scopes, a server that shows an admin key, a key, a list with it',
    { skip: noTerminal() },
    async () => {
      const lines = block('command-line', 'echo').split('\n')
      const serving = lines.findIndex((line) => line.startsWith('latchkey serve'))
      assert.ok(serving > 0)
      const here = workplace({ LATCHKEY_SCOPES_FILE: '', PORT: '0' })
      rmSync(join(here.folder, 'scopes.json'))
      const before = lines.slice(0, serving).join('\n')
      await inShell(here, before)
      // The lines after it are typed into a second terminal while it runs.
      const [typed = ''] = (lines[serving] ?? '').split(' #')
      let rest: Promise<{ code: unknown; stdout: string; stderr: string }> | undefined
      const shown = await inTerminal(here, typed.trim().split(' ').slice(1), {
        env: { LATCHKEY_SCOPES_FILE: 'scopes.json' },
        typed: [
          [
            /shown only now:\s+\S+\s/,
            () => {
              rest = inShell(here, [before, ...lines.slice(serving + 1)].join('\n'))
              return rest.then(() => '\u0003')
            },
          ],
        ],
      })
      assert.equal(shown.code, 0, shown.screen)
      assert.ok(rest !== undefined)
      const { code, stdout, stderr } = await rest
      assert.equal(code, 0, stderr)
      assert.match(stdout, /^lk_live_\w{38}\nID\t[^]*\nkey_\w+\tCI\tacme\tlive\tactive\torders:read\t/)
    },
  )

  test('KEY is a key and nothing else', async () => {
    const here = workplace()
    await here.done(['keys', 'issue', '--create', '--name', 'First', '--owner', 'acme', '--scope', 'orders:read'])
    const lines = block('command-line', 'KEY=')
    const { code, stdout, stderr } = await inShell(here, `${lines}printf %s "$KEY" | latchkey verify`)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^verdict +accepted\n/)
    assert.doesNotMatch(stdout + stderr, secretPattern)
  })

  test('the line of an import is one, with a whole hash', async () => {
    const here = workplace({ LATCHKEY_SCOPES_FILE: 'scopes.json' })
    await here.done(['keys', 'issue', '--create', '--name', 'First', '--owner', 'acme', '--scope', 'orders:read'])
    const line = block('command-line', '{ "name"', 'json').replace('2bb80d53…', hash('sha256', 'sk_12-and-more'))
    writeFileSync(join(here.folder, 'keys.jsonl'), line)
    await inShell(here, 'latchkey keys import keys.jsonl')
    assert.equal((await here.run(['verify'], { input: 'sk_12-and-more' })).code, 0)
  })

  test('bash completes with the script', async () => {
    const here = workplace()
    const { code, stdout, stderr } = await inShell(here, 'source <(latchkey completion bash); complete -p latchkey')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /-F _latchkey latchkey/)
  })
})

describe('the guide to the HTTP API', { concurrency: 2, skip: noCurl() }, () => {
  const elsewhere = (lines: string, url: string) => lines.replaceAll('http://127.0.0.1:8080', url)

  test('the life of a key with curl: issued, listed, rotated, revoked', async () => {
    const here = workplace()
    const { url, environment } = await serve(here)
    const { key } = JSON.parse(
      await here.done(['keys', 'issue', '--name', 'Old', '--owner', 'acme', '--scope', 'orders:read', '--json']),
    ) as { key: { id: string } }
    // Each answer on a line of its own.
    const lines = elsewhere(block('http-api', 'curl -s http://127.0.0.1:8080/v1/keys'), url).replaceAll(
      /^curl /gm,
      String.raw`curl -w '\n' `,
    )
    const { code, stdout, stderr } = await inShell(here, lines, { ...environment, KEY_ID: key.id })
    assert.equal(code, 0, stderr)
    const [issued = {}, listed = {}, rotated = {}, revoked = {}] = jsonLines(stdout)
    assert.match(String(issued['secret']), /^lk_live_\w{38}$/)
    assert.equal((listed['keys'] as readonly object[]).length, 2)
    assert.match(String(rotated['secret']), /^lk_live_\w{38}$/)
    assert.deepEqual((revoked['key'] as { state: string }).state, 'revoked')
  })

  test('verify answers for the text of the page, and for a key in its place, one by one and many at once', async () => {
    const here = workplace()
    const { url, environment } = await serve(here)
    const secret = await here.done(['keys', 'issue', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read'])
    const lines = elsewhere(block('http-api', 'curl -s http://127.0.0.1:8080/v1/verify '), url)
    const asWritten = await inShell(here, lines, environment)
    assert.deepEqual((({ valid, code }) => [valid, code])(JSON.parse(asWritten.stdout)), [false, 'malformed'])
    const withKey = await inShell(here, lines.replace('lk_live_…', secret), environment)
    assert.deepEqual((({ valid, code }) => [valid, code])(JSON.parse(withKey.stdout)), [true, 'accepted'])
    const many = elsewhere(block('http-api', 'curl -s http://127.0.0.1:8080/v1/verify/batch'), url)
    const { stdout } = await inShell(here, many.replaceAll('lk_live_…', secret), environment)
    const { verdicts } = JSON.parse(stdout) as { readonly verdicts: readonly { readonly code: string }[] }
    assert.deepEqual(
      verdicts.map(({ code }) => code),
      ['accepted', 'insufficient_scope'],
    )
  })
})

describe('the guide to operating', { concurrency: 2 }, () => {
  test('a lost admin key: another is issued beside the database, and can do and give everything', async () => {
    const here = workplace()
    const { url } = await serve(here)
    const [command = ''] =
      /`(latchkey keys issue --admin[^`]*)`/
        .exec(textOf('docs/guides/operating.md').replaceAll(/\s+/g, ' '))
        ?.slice(1) ?? []
    const { code, stdout, stderr } = await inShell(here, command)
    assert.equal(code, 0, stderr)
    const env = { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY: stdout.trim() }
    for (const line of [
      'keys list',
      'keys issue --name Shop --owner acme --scope orders:read,orders:write',
      'keys issue --name Next --owner operator --admin',
      'owners show acme',
      'journal verify',
      'usage',
      'doctor',
    ]) {
      const ran = await here.run(line.split(' '), { env })
      assert.equal(ran.code, 0, `${line}: ${ran.stdout}${ran.stderr}`)
    }
  })

  test('admin keys: one for everything, and one for an owner and no more', async () => {
    const here = workplace()
    const { url } = await serve(here)
    const other = await here.done(['keys', 'issue', '--name', 'Shop', '--owner', 'globex', '--scope', 'orders:read'])
    const { code, stdout, stderr } = await inShell(here, block('operating', 'latchkey keys issue --admin'))
    assert.equal(code, 0, stderr)
    const [operator = '', acme = ''] = stdout.trim().split('\n')
    const as = (key: string, line: string) =>
      here.run(line.split(' '), { env: { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY: key } })
    assert.match((await as(operator, 'keys list')).stdout, /globex/)
    assert.equal((await as(acme, 'keys issue --name Till --owner acme --scope orders:read')).code, 0)
    assert.match((await as(acme, 'keys list')).stdout, /^ID.*\nkey_\w+\tTill\t[^\n]*\n$/)
    for (const line of [
      'keys issue --name Till --owner globex --scope orders:read',
      'keys issue --name Till --owner acme --scope orders:read --environment test',
      'keys issue --name Till --owner acme --scope orders:read --limit burst=9/1s',
      'usage',
      'owners show acme',
      'journal show',
    ]) {
      const ran = await as(acme, line)
      assert.equal(ran.code, 1, `${line}: ${ran.stdout}${ran.stderr}`)
    }
    assert.equal((await here.run(['verify'], { input: other })).code, 0)
  })

  test('a backup is made, put back as the page says, and is what was there', async () => {
    const here = workplace()
    const kept = await here.done([
      'keys',
      'issue',
      '--create',
      '--name',
      'Kept',
      '--owner',
      'acme',
      '--scope',
      'orders:read',
    ])
    mkdirSync(join(here.folder, 'backups'))
    const backup = block('operating', 'latchkey backup /backups/latchkey').replace('/backups/', 'backups/')
    const made = await inShell(here, backup)
    assert.equal(made.code, 0, made.stderr)
    const served = await serve(here)
    const late = await here.done(['keys', 'issue', '--name', 'Late', '--owner', 'acme', '--scope', 'orders:read'])
    // Stop every process, put the copy in its place, take the old companions away, and start.
    const ended = new Promise((resolve) => served.process.once('close', resolve))
    served.process.kill('SIGTERM')
    await ended
    const file = join(here.folder, 'data', 'latchkey.db')
    copyFileSync(join(here.folder, backup.trim().split(' ')[2] ?? ''), file)
    for (const companion of ['-wal', '-shm']) rmSync(file + companion, { force: true })
    const again = await serve(here)
    const verdictOf = async (secret: string) =>
      jsonLines((await here.run(['verify', '--json'], { input: secret, env: again.environment })).stdout)[0]
    assert.equal((await verdictOf(kept))?.['ok'], true)
    assert.equal((await verdictOf(late))?.['code'], 'unknown')
  })

  test('an upgrade: a backup, then the tables', async () => {
    const here = workplace()
    await here.done(['keys', 'issue', '--create', '--name', 'Kept', '--owner', 'acme', '--scope', 'orders:read'])
    mkdirSync(join(here.folder, 'backups'))
    const upgrade = block('operating', 'latchkey backup /backups/before').replace('/backups/', 'backups/')
    const { code, stdout, stderr } = await inShell(here, upgrade)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^backups\/before-the-upgrade\.db is a complete copy, and it opens\./)
    await here.done(['journal', 'verify', '--store', 'sqlite:backups/before-the-upgrade.db'])
  })

  test('the head of the journal, noted, is asked for from then on', async () => {
    const here = workplace()
    await here.done(['keys', 'issue', '--create', '--name', 'Kept', '--owner', 'acme', '--scope', 'orders:read'])
    const [, head = ''] = /^(\d+:\w+)$/m.exec(await here.done(['journal', 'verify'])) ?? []
    await here.done(['keys', 'issue', '--name', 'More', '--owner', 'acme', '--scope', 'orders:read'])
    await here.done(['journal', 'verify', '--checkpoint', head])
  })
})

describe('the guide to incidents', { concurrency: 2 }, () => {
  const issue = ['keys', 'issue', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read', '--json']
  const outcomeOf = async (here: Workplace, secret: string): Promise<string> =>
    /"code": ?"(\w+)"/.exec((await here.run(['verify', '--json'], { input: secret })).stdout)?.[1] ?? 'accepted'
  const issued = async (
    here: Workplace,
    more: readonly string[],
    env = {},
  ): Promise<{ id: string; secret: string }> => {
    const { key, secret } = JSON.parse(await here.done([...issue, ...more], { env })) as IssuedJson
    return { id: key.id, secret }
  }
  interface IssuedJson {
    readonly key: { readonly id: string }
    readonly secret: string
  }

  test("a customer's calls fail: what was done to its keys at that time is told, and by whom", async () => {
    const here = workplace()
    const { id } = await issued(here, ['--create'])
    await here.done(['keys', 'disable', id, '--actor', 'ben', '--note', 'unpaid'])
    const [now = ''] = /\d\d:\d\d/.exec(localText(Date.now())) ?? []
    const { code, stdout, stderr } = await inShell(here, block('incidents', 'latchkey why').replace('10:04', now))
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`ben disabled Shop \\(${id}\\).*"unpaid"`))
  })

  test('a key has leaked: it is found by its secret, given another, and ended', async () => {
    const here = workplace()
    const { id, secret } = await issued(here, ['--create'])
    const asked = await inShell(here, block('incidents', 'latchkey verify'), { LATCHKEY_CREDENTIAL: secret })
    assert.ok(asked.stdout.includes(id), asked.stdout)
    const [rotate = '', revoke = ''] = block('incidents', 'latchkey keys rotate').trimEnd().split('\n')
    const rotated = await inShell(here, rotate, { KEY_ID: id })
    assert.equal(rotated.code, 0, rotated.stderr)
    assert.equal(await outcomeOf(here, secret), 'secret_ended')
    assert.equal(await outcomeOf(here, rotated.stdout.trim()), 'accepted')
    const revoked = await inShell(here, `${revoke} --yes`, { KEY_ID: id })
    assert.equal(revoked.code, 0, revoked.stderr)
    assert.equal(await outcomeOf(here, rotated.stdout.trim()), 'revoked')
  })

  test('an admin key was stolen: it ends, and so does all that it has brought about, and nothing else', async () => {
    const here = workplace()
    const own = await issued(here, ['--create'])
    const { environment } = await serve(here)
    const stolen = await issued(here, [], environment)
    const [, admin = ''] = /(key_\w+)\tTests\t/.exec(await here.done(['keys', 'list', '--environment', 'admin'])) ?? []
    const drill = block('incidents', 'latchkey keys revoke "$ADMIN_ID"').replaceAll('keys revoke', 'keys revoke --yes')
    const { code, stdout, stderr } = await inShell(here, drill, { ADMIN_ID: admin })
    assert.equal(code, 0, stderr)
    assert.ok(stdout.includes(stolen.id) && !stdout.includes(own.id), stdout)
    assert.equal(await outcomeOf(here, stolen.secret), 'revoked')
    assert.equal(await outcomeOf(here, own.secret), 'accepted')
    const refused = await here.run(['keys', 'list'], { env: environment })
    assert.equal(refused.code, 1, refused.stdout)
  })

  test('a backup was restored: what was revoked since is accepted, told by the lost journal, and revoked again', async () => {
    const here = workplace()
    const leaked = await issued(here, ['--create'])
    await here.done(['backup', 'backup.db'])
    await here.done(['keys', 'revoke', leaked.id, '--reason', 'compromised', '--yes'])
    for (const folder of ['data', 'lost']) mkdirSync(join(here.folder, folder), { recursive: true })
    const file = (name: string): string => join(here.folder, name)
    await here.done(['backup', 'lost/latchkey.db'])
    for (const companion of ['', '-wal', '-shm']) rmSync(file(`data/latchkey.db${companion}`), { force: true })
    copyFileSync(file('backup.db'), file('data/latchkey.db'))
    assert.equal(await outcomeOf(here, leaked.secret), 'accepted')

    const [verify = '', show = ''] = block('incidents', 'latchkey journal verify --store').trimEnd().split('\n')
    const [, seq = ''] = /^(\d+):\w+$/m.exec((await inShell(here, verify)).stdout) ?? []
    const missing = await inShell(here, show, { SEQ: seq })
    assert.equal(missing.code, 0, missing.stderr)
    assert.match(missing.stdout, new RegExp(`\\brevoke\\b.*${leaked.id}|${leaked.id}.*\\brevoke\\b`))
    await here.done(['keys', 'revoke', leaked.id, '--reason', 'compromised', '--yes'])
    assert.equal(await outcomeOf(here, leaked.secret), 'revoked')

    const kept = await inShell(here, block('incidents', 'latchkey journal show --after'), { SEQ: seq })
    assert.equal(kept.code, 0, kept.stderr)
    assert.match(readFileSync(file('journal.jsonl'), 'utf8'), /^\{.*"revoke".*\}\n$/)
  })

  test('somebody has written to the database: the head that was noted says so', async () => {
    const here = workplace()
    const { id } = await issued(here, ['--create'])
    const [, head = ''] = /^(\d+:\w+)$/m.exec(await here.done(['journal', 'verify'])) ?? []
    const look = block('incidents', 'latchkey journal verify --rows')
    assert.equal((await inShell(here, look, { HEAD: head })).code, 0)
    const write = (statement: string): void => {
      const database = new DatabaseSync(join(here.folder, 'data', 'latchkey.db'))
      database.exec(statement)
      database.close()
    }
    write(`UPDATE latchkey_keys SET scopes = '["orders:write"]'`)
    const widened = await inShell(here, look, { HEAD: head })
    assert.equal(widened.code, 1)
    assert.ok(widened.stdout.includes(id) || widened.stderr.includes(id), widened.stdout)
    write(`UPDATE latchkey_keys SET scopes = '["orders:read"]'`)
    assert.equal((await inShell(here, look, { HEAD: head })).code, 0)
    write("UPDATE latchkey_journal SET actor = 'nobody'")
    assert.equal((await inShell(here, look, { HEAD: head })).code, 1)
  })
})

describe('the guide to privacy', { concurrency: 2 }, () => {
  // Nobody is there to confirm.
  const confirmed = (lines: string): string => lines.replaceAll(/ (?:revoke|erase) /g, '$&--yes ')

  /** Whether the file of the database or its log has a text. */
  const holds = (here: Workplace, text: string): boolean =>
    ['', '-wal'].some((end) => {
      const file = join(here.folder, 'data', `latchkey.db${end}`)
      return existsSync(file) && readFileSync(file).includes(text)
    })
  const issue = ['keys', 'issue', '--create', '--name', 'Grace Hopper', '--owner', 'acme', '--scope', 'orders:read']

  test('a key is erased: its name is nowhere in the database, and the journal is intact', async () => {
    const here = workplace()
    const { key } = JSON.parse(await here.done([...issue, '--json'])) as { readonly key: { readonly id: string } }
    assert.ok(holds(here, 'Grace Hopper'))
    const lines = confirmed(block('privacy', 'latchkey keys revoke'))
    const { code, stderr } = await inShell(here, lines, { KEY_ID: key.id })
    assert.equal(code, 0, stderr)
    assert.ok(!holds(here, 'Grace Hopper'))
    assert.match((await here.run(['keys', 'show', key.id])).stderr, /No key has this id/)
    await here.done(['journal', 'verify', '--rows'])
  })

  test('an owner is erased with its keys: neither is anywhere in the database, and the journal is intact', async () => {
    const here = workplace()
    await here.done(issue)
    assert.ok(holds(here, 'acme'))
    const { code, stderr } = await inShell(here, confirmed(block('privacy', 'latchkey owners change')))
    assert.equal(code, 0, stderr)
    for (const text of ['acme', 'Grace Hopper']) assert.ok(!holds(here, text), text)
    await here.done(['journal', 'verify', '--rows'])
  })
})

describe('the guide to deploying', { concurrency: 2 }, () => {
  /** Puts a program onto the path of a workplace that is not for a test to run. */
  const instead = (here: Workplace, name: string, script: string): void => {
    mkdirSync(join(here.folder, 'bin'), { recursive: true })
    writeFileSync(join(here.folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  const issue = ['keys', 'issue', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read']
  const portOf = (url: string): string => new URL(url).port

  test('the first admin key gives another, and is taken away', async () => {
    const here = workplace({ LATCHKEY_FIRST_ADMIN_KEY_FILE: 'data/admin.key' })
    mkdirSync(join(here.folder, 'data'))
    const { url } = await serve(here)
    const lines = block('deploying', 'export LATCHKEY_URL')
      .replace('http://127.0.0.1:8080', url)
      .replaceAll('/var/lib/latchkey/', 'data/')
    const { code, stdout, stderr } = await inShell(here, lines)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /\tAda\t[^]*\tFirst admin key\t/)
    assert.ok(!existsSync(join(here.folder, 'data', 'admin.key')))
  })

  test('an upgrade: a copy, and a server that is well afterwards', async () => {
    const here = workplace()
    const { url } = await serve(here)
    mkdirSync(join(here.folder, 'backups'))
    for (const name of ['systemctl', 'npm']) instead(here, name, `echo ${name} "$@"`)
    const lines = block('deploying', 'latchkey backup').replace('/backups/', 'backups/')
    const { code, stdout, stderr } = await inShell(here, lines, { PORT: portOf(url) })
    assert.equal(code, 0, stderr)
    assert.match(
      stdout,
      /is a complete copy, and it opens\.[^]*\nsystemctl stop latchkey\nnpm install [^\n]+\nsystemctl start latchkey\nready\n$/,
    )
  })

  test('a downgrade, or a restore: what was copied is there again, and what came later is not', async () => {
    const here = workplace()
    const kept = await here.done([...issue, '--create'])
    mkdirSync(join(here.folder, 'backups'))
    await here.done(['backup', 'backups/before-the-upgrade.db'])
    const late = await here.done(issue)
    instead(here, 'systemctl', 'true')
    const lines = block('deploying', 'systemctl stop')
      .replaceAll('/backups/', 'backups/')
      .replaceAll('/var/lib/latchkey/', 'data/')
    const { code, stderr } = await inShell(here, lines)
    assert.equal(code, 0, stderr)
    assert.equal((await here.run(['verify'], { input: kept })).code, 0)
    assert.equal((await here.run(['verify'], { input: late })).code, 1)
  })

  test('the image has settings that exist, and commands that exist', () => {
    const [image = ''] = blocksOf('docs/guides/deploying.md', 'dockerfile')
    const known = new Set(Object.values(settingsTable).map(({ variable }) => variable))
    const set = [...image.matchAll(/^ENV (\w+)=/gm)].map(([, name = '']) => name)
    assert.ok(set.length > 0)
    for (const name of set) assert.ok(known.has(name), name)
    const commands = [...image.matchAll(/\["latchkey", "(\w+)"\]/g)].map(([, name = '']) => name)
    assert.deepEqual(commands, ['health', 'serve'])
    for (const name of commands) mustExist(buildProgram('0.0.0'), { page: 'deploying.md', words: `latchkey ${name}` })
  })

  test('systemd takes the unit, and its settings exist', { skip: noSystemd() }, () => {
    const here = workplace()
    const [unit = ''] = blocksOf('docs/guides/deploying.md', 'ini')
    const known = new Set(Object.values(settingsTable).map(({ variable }) => variable))
    for (const [, name = ''] of unit.matchAll(/^Environment=(\w+)=/gm)) assert.ok(known.has(name), name)
    const file = join(here.folder, 'latchkey.service')
    const check = (text: string): { status: number | null; stderr: string } => {
      writeFileSync(file, text)
      return spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    }
    // Only the program is not where the unit has it.
    const elsewhere = unit.replace('/usr/local/bin/latchkey', process.execPath)
    const found = check(elsewhere)
    assert.doesNotMatch(found.stderr, /latchkey\.service/)
    assert.match(check(elsewhere.replace('RestartPreventExitStatus', 'RestartPrevent')).stderr, /Unknown key/)
  })

  test('nginx speaks TLS, and tells where a caller is, whatever the caller says', { skip: noNginx() }, async () => {
    const here = workplace({ LATCHKEY_TRUSTED_PROXIES: '127.0.0.1' })
    const { url } = await serve(here)
    const admin = ['keys', 'issue', '--admin', '--owner', 'operator', '--name', 'Ada']
    const near = await here.done([...admin, '--address', '127.0.0.1'])
    const far = await here.done([...admin, '--address', '192.0.2.7'])
    const port = await freePort()
    const [server = ''] = blocksOf('docs/guides/deploying.md', 'nginx')
    const [pem, key] = [join(here.folder, 'pem'), join(here.folder, 'key')]
    writeFileSync(pem, certificate)
    writeFileSync(key, privateKey)
    const adapted = server
      .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replace('/etc/ssl/keys.example.com.pem', pem)
      .replace('/etc/ssl/private/keys.example.com.key', key)
      .replace('http://127.0.0.1:8080', url)
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`)
    const main = `daemon off; pid nginx.pid; error_log stderr; events {} http { access_log off; ${places.join(' ')}\n${adapted}}`
    writeFileSync(join(here.folder, 'nginx.conf'), main)
    const nginx = spawn('nginx', ['-p', here.folder, '-c', 'nginx.conf', '-e', 'stderr'])
    const ended = once(nginx, 'close')
    let complaints = ''
    nginx.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
    try {
      const ask = async (path: string, headers = {}): Promise<number | undefined> => {
        const call = request({ host: 'localhost', port, path, headers, ca: certificate, agent: false })
        const [answer] = (await once(call.end(), 'response')) as [IncomingMessage]
        answer.resume()
        return answer.statusCode
      }
      while ((await ask('/healthz').catch(() => undefined)) !== 200) assert.equal(nginx.exitCode, null, complaints)
      const claimed = { 'x-forwarded-for': '192.0.2.7' }
      assert.equal(await ask('/v1/keys', { 'x-api-key': near, ...claimed }), 200)
      assert.equal(await ask('/v1/keys', { 'x-api-key': far, ...claimed }), 403)
    } finally {
      nginx.kill('SIGTERM')
      await ended
    }
  })

  test('every metric that it names is one', () => {
    const described = textOf('docs/reference/metrics.md')
    const named = readPage(textOf('docs/guides/deploying.md')).names.filter((name) =>
      /^(?:latchkey|process|nodejs)_[a-z_]+$/.test(name),
    )
    assert.ok(named.length > 3)
    for (const name of named) assert.ok(described.includes(`| \`${name}\` `), name)
  })
})

test(
  'the guide to many instances has a server that counts in Redis',
  { skip: noCurl() || noRedisServer },
  async (context) => {
    const redis = await startRedis()
    context.after(redis.kill)
    const serving = block('scaling', 'LATCHKEY_LIMITER=').trimEnd().replace('redis://127.0.0.1:6379', redis.url)
    const ready = 'until curl -sf http://127.0.0.1:$PORT/readyz; do kill -0 $! && sleep 0.05; done'
    const instances = `redis-cli -p ${redis.port} ZCARD latchkey:instances`
    const port = String(await freePort())
    const ran = await inShell(workplace(), `${serving} &\n${ready}\n${instances}\nkill $!; wait $!`, { PORT: port })
    assert.equal(ran.code, 0, ran.stderr)
    assert.match(ran.stdout, /^1$|}1$/m)
  },
)

test('every block of commands in the guides is run above', { skip: noCurl() || noTerminal() }, () => {
  for (const page of globSync('docs/guides/*.md', { cwd: root })) {
    // `forward-auth/guide.test.ts` runs these.
    if (page === 'docs/guides/forward-auth.md') continue
    for (const one of blocksOf(page, 'sh')) assert.ok(run.has(one), `${page}: nobody runs\n${one}`)
  }
})

test('every command that a page names is there, with every flag', () => {
  const program = buildProgram('0.0.0')
  for (const page of pages) {
    const inline = readPage(textOf(page)).names.filter((name) => name.startsWith('latchkey '))
    const lines = ['sh', 'bash']
      .flatMap((language) => blocksOf(page, language))
      .flatMap((one) =>
        one
          .replaceAll('\\\n', ' ')
          .split('\n')
          .flatMap((line) => /(?<!npm install )\b(latchkey .*?)(?: #.*)?\)?$/.exec(line)?.slice(1) ?? []),
      )
    for (const words of [...inline, ...lines]) mustExist(program, { page, words })
  }
})

test('every command that a message names is there, with every flag', () => {
  const program = buildProgram('0.0.0')
  for (const page of globSync(['packages/latchkey-server/src/**/*.ts', 'packages/latchkey/src/**/*.ts'], {
    cwd: root,
  })) {
    // A script for a shell completes what is typed; it asks by a command that is for nobody else.
    if (page.endsWith('completion.ts')) continue
    const code = textOf(page).replaceAll(/^ *(?:\*|\/\/|\/\*\*).*$/gm, '')
    const names = program.commands.map((command) => command.name()).join('|')
    const named = [...code.matchAll(new RegExp(`latchkey ((?:${names})\\b[^'\`.;,()\\n]*)`, 'g'))]
    const built = [...code.matchAll(/(?:advised\(['`]|issueAdmin = ['`])([^'`]*)/g)]
    for (const [, words = ''] of [...named, ...built]) {
      mustExist(program, { page, words: `latchkey ${words.replaceAll(/\$\{[^}]*\}/g, '<id>')}` })
    }
  }
})

function mustExist(program: Command, { page, words }: { readonly page: string; readonly words: string }): void {
  let command = program
  for (const word of words.split(/\s+/).slice(1)) {
    const where = `${page}: ${words}: ${word}`
    const next = command.commands.find((one) => one.name() === word)
    if (next !== undefined) command = next
    else if (/^--?[a-z]/.test(word)) {
      const known = [...command.options.flatMap(({ long, short }) => [long, short]), '--help', '-h']
      assert.ok(known.includes(word) || (command.commands.length > 0 && word === '--url'), where)
    } else assert.ok(command.commands.length === 0 || /^[<…|-]/.test(word), where)
  }
}
