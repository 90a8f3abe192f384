// Which commands change what they are run on: the tables of an older version, and files that nobody may write to.

import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { compose } from '../../src/compose.ts'
import { readSettings } from '../../src/config.ts'
import { serverLogger } from '../../src/log.ts'
import type { Workplace } from './running.ts'
import { secretPattern, workplace } from './running.ts'

const issue = ['keys', 'issue', '--create', '--name', 'Key', '--owner', 'acme', '--scope', 'orders:read']

/** Everything in the folder of the database, with its contents. */
function sightOf({ folder }: Workplace): unknown {
  const data = join(folder, 'data')
  return readdirSync(data).map((name) => {
    const { mode, mtimeMs, ino } = statSync(join(data, name))
    return [name, mode, mtimeMs, ino, readFileSync(join(data, name)).toString('base64')]
  })
}

/** A command of each kind that reads. `verify` is given a secret. */
function readingOf(id: string): readonly string[] {
  const reading = [
    'keys list',
    `keys show ${id}`,
    'owners list',
    'owners show acme',
    'keys count',
    'whoami',
    'journal show',
    'journal verify',
    'usage',
  ]
  return [...reading, 'verify', 'doctor']
}

test('what reads changes nothing, and works where nobody may write', async () => {
  const here = workplace()
  const secret = await here.done(issue)
  assert.match(secret, secretPattern)
  const [{ id }] = JSON.parse(`[${await here.done(['keys', 'list', '--json'])}]`) as [{ id: string }]
  const data = join(here.folder, 'data')
  chmodSync(join(data, 'latchkey.db'), 0o400)
  chmodSync(data, 0o500)
  const before = sightOf(here)
  for (const line of [...readingOf(id), 'backup copy.db']) {
    const { code, stderr } = await here.run(line.split(' '), { input: secret })
    // Doctor says what others may not do; those who may do everything are not told.
    assert.ok(code === 0 || line === 'doctor', `${line}: ${stderr}`)
  }
  assert.deepEqual(sightOf(here), before)
  chmodSync(data, 0o700)
})

test('tables of an older version are backed up, then migrated, and touched by nothing else', async () => {
  const here = workplace()
  const secret = await here.done(issue)
  const file = join(here.folder, 'data', 'latchkey.db')
  const database = new DatabaseSync(file)
  // The last step of the newest version, taken back.
  database.exec(`DELETE FROM latchkey_migrations WHERE version = (SELECT MAX(version) FROM latchkey_migrations)`)
  database.close()
  const before = sightOf(here)
  const changing = ['keys disable key_1', 'keys revoke key_1 --reason other --yes', issue.join(' '), 'keys import']
  for (const line of [...readingOf('key_1'), ...changing, 'verify --spend']) {
    const { code, stdout, stderr } = await here.run(line.split(' '), { input: secret })
    const said = line === 'doctor' ? stdout : stderr
    assert.match(said, /^ +latchkey backup .*\n +latchkey migrate$/m, line)
    assert.equal(code, line === 'doctor' ? 0 : 69, line)
    assert.deepEqual(sightOf(here), before, line)
  }
  assert.match(
    await here.done(['backup', 'copy.db']),
    /^copy\.db is a complete copy, and it opens\.\nIts tables are from an older/,
  )
  assert.deepEqual(sightOf(here), before)
})

/** Tables as the first version made them. */
const firstTables = `
  CREATE TABLE latchkey_migrations (version INTEGER PRIMARY KEY);
  INSERT INTO latchkey_migrations VALUES (1);
  CREATE TABLE latchkey_keys (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    owner TEXT NOT NULL, environment TEXT NOT NULL, scopes TEXT NOT NULL, metadata TEXT NOT NULL, start TEXT NOT NULL,
    created_at INTEGER NOT NULL, not_before INTEGER, expires_at INTEGER, revoked_at INTEGER, revoked_reason TEXT,
    revoked_note TEXT, revision INTEGER NOT NULL);
  CREATE INDEX latchkey_keys_by_owner ON latchkey_keys (owner, place);
  CREATE INDEX latchkey_keys_by_revision ON latchkey_keys (revision);
  CREATE TABLE latchkey_secrets (hash TEXT NOT NULL PRIMARY KEY,
    place INTEGER NOT NULL REFERENCES latchkey_keys (place)) WITHOUT ROWID;
  CREATE TABLE latchkey_journal (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, change TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)`

test('whoever brings tables up to date is told before it begins, because it may take minutes', async () => {
  const here = workplace()
  const older = (name: string): string => {
    const database = new DatabaseSync(join(here.folder, name))
    database.exec(firstTables)
    database.close()
    return `sqlite:${name}`
  }
  const { code, stderr } = await here.run(['migrate', '--store', older('one.db')])
  assert.equal(code, 0)
  assert.match(
    stderr,
    /^Bringing the tables of one\.db up to date.*minutes\.\none\.db is now up to date, after \d+ steps\.\n$/,
  )
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  older('two.db')
  const settings = readSettings({ environment: { LATCHKEY_STORE: `sqlite:${join(here.folder, 'two.db')}` } })
  const { close } = await compose(settings, { logger: serverLogger(settings, stream) })
  await close()
  assert.match(lines[0] ?? '', /"step":2,"steps":\d+,"msg":"the tables of an older version are brought up to date"/)
})

test('migrate makes tables where there are none, and says what it did', async () => {
  const here = workplace()
  await here.done(issue)
  const none = await here.run(['migrate'])
  assert.deepEqual([none.code, none.stderr], [0, 'data/latchkey.db was already up to date.\n'])
  writeFileSync(join(here.folder, 'empty.db'), '')
  const empty = ['--store', 'sqlite:empty.db']
  assert.equal((await here.run(['keys', 'list', ...empty])).code, 69)
  const { steps, recorded } = JSON.parse(await here.done(['migrate', '--json', ...empty])) as Record<string, number>
  assert.ok(steps !== undefined && steps > 1)
  assert.equal(recorded, 0)
  assert.equal(await here.done(['keys', 'list', '--json', ...empty]), '')
  assert.equal((await here.run(['migrate', '--url', 'http://127.0.0.1:9'])).code, 2)
})
