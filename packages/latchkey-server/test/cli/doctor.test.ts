// What is wrong with an installation, and what to do.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import type { Workplace } from './running.ts'
import { workplace } from './running.ts'

const issue = ['keys', 'issue', '--create', '--name', 'Key', '--owner', 'acme', '--scope', 'orders:read']

interface Report {
  readonly ok: boolean
  readonly findings: readonly { what: string; state: string; found: string; remedy?: string }[]
}

/** What is wrong, as `doctor` says it, and its exit code. */
async function faults({ run }: Workplace, more: readonly string[] = [], env = {}) {
  const { code, stdout, stderr } = await run(['doctor', '--json', ...more], { env })
  assert.equal(stderr, '')
  const { findings, ok } = JSON.parse(stdout) as Report
  const wrong = findings.filter(({ state }) => state === 'fail')
  assert.equal(ok, wrong.length === 0)
  for (const { remedy } of wrong) assert.ok(remedy)
  return { code, wrong: wrong.map(({ what, found }) => `${what}: ${found}`).join('\n') }
}

describe('doctor', { concurrency: 2 }, () => {
  test('nothing is wrong with what was just made, and it says so', async () => {
    const here = workplace()
    await here.done(issue)
    assert.deepEqual(await faults(here), { code: 0, wrong: '' })
    assert.match(await here.done(['doctor']), /^ok +journal +intact, 1 entry$/m)
  })

  test('a setting, a database that is missing, and one that is none', async () => {
    const here = workplace()
    const setting = await faults(here, [], { PORT: 's3cret' })
    assert.equal(setting.code, 78)
    assert.match(setting.wrong, /^settings: PORT must be/)
    assert.doesNotMatch(setting.wrong, /s3cret/)
    const missing = await faults(here)
    assert.deepEqual(missing, { code: 1, wrong: 'database: there is no file at data/latchkey.db' })
    assert.equal(statSync(join(here.folder, 'data'), { throwIfNoEntry: false }), undefined, 'and it makes none')
    writeFileSync(join(here.folder, 'broken.db'), 'not a database, whatever its name says. '.repeat(100), {
      mode: 0o600,
    })
    assert.match(
      (await faults(here, ['--store', 'sqlite:broken.db'])).wrong,
      /^database: The database broken\.db cannot be used/,
    )
  })

  test('a database that others may read, and a folder in which they may put another', async () => {
    const here = workplace()
    await here.done(issue)
    chmodSync(join(here.folder, 'data', 'latchkey.db'), 0o644)
    chmodSync(join(here.folder, 'data'), 0o777)
    const { code, wrong } = await faults(here)
    assert.equal(code, 1)
    assert.match(
      wrong,
      /^file modes: data\/latchkey\.db has mode 644: other users may read or write it\nfile modes: data has mode 777/,
    )
  })

  test('it looks and changes nothing: what it finds wrong is there still, and no file is added', async () => {
    const here = workplace()
    await here.done(issue)
    const data = join(here.folder, 'data')
    const file = join(data, 'latchkey.db')
    chmodSync(file, 0o644)
    const seen = () => [readdirSync(data), statSync(file).mode & 0o777, readFileSync(file).toString('base64')]
    const before = seen()
    const { wrong } = await faults(here)
    assert.equal(wrong, 'file modes: data/latchkey.db has mode 644: other users may read or write it')
    assert.deepEqual(seen(), before)
    // Beside a process that has it open, what is in the log alone is seen too.
    const writer = new DatabaseSync(file)
    writer.exec("UPDATE latchkey_journal SET actor = 'nobody'")
    assert.match((await faults(here)).wrong, /^journal: The journal is not intact/m)
    writer.close()
  })

  test('a database of an older version is a note and stays one; a newer version is told to be used', async () => {
    const here = workplace()
    await here.done(issue)
    const file = join(here.folder, 'data', 'latchkey.db')
    const turn = (change: string): void => {
      const database = new DatabaseSync(file)
      database.exec(change)
      database.close()
    }
    turn('UPDATE latchkey_migrations SET version = 1000 WHERE version = 1')
    const newer = await here.run(['doctor'])
    assert.equal(newer.code, 1)
    assert.match(newer.stdout, /^FAIL +database +a newer version of Latchkey has written it\n +Use the newer version/m)
    assert.doesNotMatch(newer.stdout, /[Rr]estore a backup/)
    turn('DELETE FROM latchkey_migrations')
    const before = readFileSync(file)
    assert.deepEqual(await faults(here), { code: 0, wrong: '' })
    assert.match(
      await here.done(['doctor']),
      /^warn +database +its tables are from an older.*\n +Stop everything that uses it, make a backup.*\n +latchkey backup .*\n +latchkey migrate$/m,
    )
    assert.deepEqual(readFileSync(file), before)
  })

  test('a journal that somebody has written in, and a clock that has gone back', async () => {
    const here = workplace()
    await here.done(issue)
    const database = new DatabaseSync(join(here.folder, 'data', 'latchkey.db'))
    database.exec("UPDATE latchkey_journal SET actor = 'nobody'")
    const altered = await faults(here)
    assert.equal(altered.code, 1)
    assert.match(altered.wrong, /^journal: The journal is not intact: entry 1 was altered/)
    database.exec(`UPDATE latchkey_journal SET actor = 'root', at = ${Date.now() + 3_600_000}`)
    database.close()
    assert.match((await faults(here)).wrong, /^clock: the journal has an entry \d+ s in the future/m)
  })

  test('a server that is not there', async () => {
    const { code, wrong } = await faults(workplace(), ['--url', 'http://127.0.0.1:65534'], { LATCHKEY_ADMIN_KEY: 'x' })
    assert.equal(code, 1)
    assert.match(wrong, /^server: \/healthz does not answer: \w+$/)
  })

  test('a password in an address is refused and printed nowhere, whatever the address is otherwise', async () => {
    const here = workplace()
    const urls = [
      'http://user:s3cret@127.0.0.1:9',
      'http://s3cret@host:port',
      'user:s3cret@host',
      'https://:s3cret@x/y',
    ]
    for (const url of urls) {
      for (const values of [['doctor'], ['doctor', '--json'], ['keys', 'list']]) {
        const flagged = await here.run([...values, '--url', url], { env: { LATCHKEY_ADMIN_KEY: 'x' } })
        assert.deepEqual([flagged.code, flagged.stderr], [2, '--url must not contain a user name or password.\n'])
        const set = await here.run(values, { env: { LATCHKEY_ADMIN_KEY: 'x', LATCHKEY_URL: url } })
        assert.deepEqual([set.code, set.stderr], [78, 'LATCHKEY_URL must not contain a user name or password.\n'])
        assert.doesNotMatch(flagged.stdout + set.stdout, /s3cret/)
      }
    }
  })

  test('the admin key does not go over http to another machine, unless somebody says so', async () => {
    const here = workplace()
    const env = { LATCHKEY_ADMIN_KEY: 'x' }
    const { code, stderr } = await here.run(['keys', 'list', '--url', 'http://192.0.2.1'], { env })
    assert.equal(code, 2)
    assert.match(stderr, /^--url must begin with https:\/\/: [^\n]* say --insecure-http\.\n$/)
    const insecure = await here.run(['keys', 'list', '--url', 'http://name.invalid', '--insecure-http'], { env })
    assert.equal(insecure.code, 69)
  })
})

describe('backup', { concurrency: 2 }, () => {
  test('a copy opens, is whole, and belongs to its owner alone', async () => {
    const here = workplace()
    await here.done(issue)
    assert.match(
      await here.done(['backup', 'copy.db']),
      /^copy\.db is a complete copy, and it opens\.\nThe journal is intact: 1 entry\./,
    )
    assert.equal(statSync(join(here.folder, 'copy.db')).mode & 0o777, 0o600)
    assert.equal(statSync(join(here.folder, 'copy.db-wal'), { throwIfNoEntry: false }), undefined)
    const listed = await here.done(['keys', 'list', '--json', '--store', 'sqlite:copy.db'])
    assert.equal(listed, await here.done(['keys', 'list', '--json']))
  })

  test('a copy that was cut off does not look like one', async () => {
    const here = workplace()
    const lines = Array.from(
      { length: 5000 },
      (_, index) =>
        `{"name":"k${index}","owner":"many","scopes":[],"bits":128,"hash":"${index.toString(16).padStart(64, '0')}"}`,
    )
    await here.done(['keys', 'import', '--create'], { input: lines.join('\n') })
    const [copy, part] = ['copy.db', 'copy.db.part'].map((name) => join(here.folder, name)) as [string, string]
    for (const [signal, code] of [
      ['SIGKILL', 'SIGKILL'],
      ['SIGTERM', 'SIGTERM'],
      ['SIGINT', 130],
    ] as const) {
      const child = here.start(['backup', 'copy.db'])
      const ended = once(child, 'close')
      // It may be done before anybody has looked.
      while (!existsSync(part) && !existsSync(copy) && child.exitCode === null) await new Promise(setImmediate)
      child.kill(signal)
      const [exit, by] = (await ended) as [number | null, NodeJS.Signals | null]
      // Whatever has the name was checked: the signal has come too late then.
      if (existsSync(copy)) rmSync(copy)
      else assert.equal(exit ?? by, code)
      if (signal !== 'SIGKILL') assert.ok(!existsSync(part))
      if (!existsSync(part)) continue
      const again = await here.run(['backup', 'copy.db'])
      assert.match(
        `${again.code}: ${again.stderr}`,
        /^4: copy\.db\.part exists already: .* If none is running, remove that file\.\n$/,
      )
      rmSync(part)
    }
    await here.done(['backup', 'copy.db'])
    assert.ok(existsSync(copy) && !existsSync(part))
  })

  test('nothing is written over, and nothing is half written', async () => {
    const here = workplace()
    await here.done(issue)
    writeFileSync(join(here.folder, 'taken.db'), 'mine')
    const taken = await here.run(['backup', 'taken.db'])
    assert.deepEqual(
      [taken.code, taken.stderr],
      [4, 'taken.db exists already, and a backup overwrites nothing. Name another file.\n'],
    )
    assert.equal((await here.run(['backup', 'no/such/folder.db'])).code, 1)
    assert.equal((await here.run(['backup', 'copy.db', '--store', 'sqlite:none.db'])).code, 69)
    const remote = await here.run(['backup', 'copy.db'], { env: { LATCHKEY_URL: 'http://127.0.0.1:9' } })
    assert.equal(remote.code, 2)
    assert.equal(statSync(join(here.folder, 'copy.db'), { throwIfNoEntry: false }), undefined)
  })
})
