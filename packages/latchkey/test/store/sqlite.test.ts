import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs, {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync, StatementSync } from 'node:sqlite'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { chain } from '../../src/journal/chain.ts'
import { verifyJournal } from '../../src/journal/verify-journal.ts'
import type { JournalHead } from '../../src/ports.ts'
import { migrations } from '../../src/store/migrations.ts'
import { entryValues } from '../../src/store/sql.ts'
import type { MigrationStep } from '../../src/store/sqlite.ts'
import { backupSqlite, isInUse, sqliteStore } from '../../src/store/sqlite.ts'
import { followerConformance } from '../conformance/follower.ts'
import type { StoreUnderTest } from '../conformance/store.ts'
import { changesSince, inserting, newKey, storeConformance, touchedBy } from '../conformance/store.ts'
import { everyUse, usageConformance } from '../conformance/usage.ts'

const folder = temporaryFolder('sqlite')
let files = 0
const newFile = (): string => join(folder, String(files++), 'keys.db')

/** The data that conformance tests work on. */
function fresh(): StoreUnderTest {
  const file = newFile()
  let copies = 0
  return {
    overwrites: true,
    open: () => sqliteStore({ file }),
    async backup() {
      const copy = `${file}.${copies++}`
      const store = sqliteStore({ file })
      await store.backup(copy)
      await store.close()
      // As SQLite's own shell restores: page by page into the file that is in use, in one transaction.
      return async () => {
        const source = new DatabaseSync(copy, { readOnly: true })
        await backup(source, file)
        source.close()
      }
    },
    remove: () => rmSync(file),
  }
}

storeConformance('SQLite', fresh)
followerConformance('SQLite', fresh)
usageConformance('SQLite', fresh)

test('the database and its companions can be read by their owner only', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  assert.equal(statSync(dirname(file)).mode & 0o777, 0o700, 'the folder that was made for it')
  for (const name of [file, `${file}-wal`, `${file}-shm`]) assert.equal(statSync(name).mode & 0o777, 0o600, name)
  void store.close()
  chmodSync(file, 0o644)
  void sqliteStore({ file }).close()
  assert.equal(statSync(file).mode & 0o777, 0o600, 'after it was opened up')
})

test('what is not a database is refused in one sentence that names the file', () => {
  const file = join(folder, 'letter.txt')
  writeFileSync(file, 'Dear reader, this is not a database, and it is longer than its header would be.'.repeat(20), {
    mode: 0o644,
  })
  assert.throws(() => sqliteStore({ file }), { code: 'store_unusable', message: /letter\.txt cannot be used: [^\n]+$/ })
  assert.equal(statSync(file).mode & 0o777, 0o644, 'and left as it is')
  assert.throws(() => sqliteStore({ file: join(file, 'below', 'it.db') }), { code: 'store_unusable' })
})

test('what is not a file is refused and left as it is, and where nothing can be made the start does not hang', async () => {
  const socket = join(folder, 'socket')
  const server = createServer().listen(socket)
  await once(server, 'listening')
  for (const file of [socket, folder]) {
    const { mode } = statSync(file)
    assert.throws(() => sqliteStore({ file }), { code: 'store_unusable', message: /is not a file/ })
    assert.equal(statSync(file).mode, mode)
  }
  server.close()
  assert.throws(() => sqliteStore({ file: '/proc/latchkey/keys.db' }), { code: 'store_unusable' })
})

test('a database of a newer version is refused and left as it is', () => {
  const file = newFile()
  void sqliteStore({ file }).close()
  const database = new DatabaseSync(file)
  database.exec('INSERT INTO latchkey_migrations (version) VALUES (1000)')
  database.close()
  assert.throws(() => sqliteStore({ file }), { code: 'store_unusable', message: /newer version/ })
})

/** Everything that can be told of a folder without reading it: what is there, since when, and for whom. */
function sightOf(path: string): readonly (readonly unknown[])[] {
  return readdirSync(path).map((name) => {
    const { mode, size, mtimeMs, ino } = statSync(join(path, name))
    return [name, mode, size, mtimeMs, ino]
  })
}

/** As somebody who may read and not write. */
function asReader<Result>(act: () => Result): Result {
  if (process.getuid?.() !== 0) return act()
  process.seteuid?.(65_534)
  try {
    return act()
  } finally {
    process.seteuid?.(0)
  }
}

/** A database of the first version, and what a look at its folder shows. */
async function olderDatabase(): Promise<string> {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  await store.close()
  const database = new DatabaseSync(file)
  database.exec('DELETE FROM latchkey_migrations WHERE version > 1')
  database.close()
  chmodSync(file, 0o644)
  return file
}

test('a store that is only read changes nothing, whoever writes meanwhile, and every change fails', async () => {
  const file = newFile()
  assert.throws(() => sqliteStore({ file, mode: 'read' }), { code: 'store_unusable' })
  assert.throws(() => sqliteStore({ file, mode: 'write' }), { code: 'store_unusable' })
  assert.equal(existsSync(dirname(file)), false)
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  const beside = sqliteStore({ file, mode: 'read' })
  assert.equal((await beside.journal({ after: 0, limit: 10 })).length, 1, 'what is in the log alone')
  const seen = await changesSince(beside, undefined)
  await store.commit([inserting(newKey())], chain)
  assert.equal((await changesSince(beside, seen.head)).changed.length, 1, 'it follows')
  const refused = { code: 'store_unusable', message: /was opened only to read it.*Open it with the mode write/ }
  await assert.rejects(async () => beside.commit([inserting(newKey())], chain), refused)
  const spending = { cost: 1, quota: { amount: 5, refill: null }, period: 0 }
  await assert.rejects(async () => beside.spend('key_1', spending), refused)
  await beside.recordUsage({ counts: [], lastUsed: new Map() })
  await beside.close()
  await store.close()
  chmodSync(file, 0o644)
  const link = `${file} 100%41?#`
  symlinkSync(file, link)
  const before = sightOf(dirname(file))
  for (const name of [file, link]) {
    const alone = sqliteStore({ file: name, mode: 'read' })
    assert.equal((await alone.journal({ after: 0, limit: 10 })).length, 2)
    await alone.close()
  }
  assert.deepEqual(sightOf(dirname(file)), before)
})

test('who opens to read while the log is empty still follows the process that goes on to write', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  const cutting = new DatabaseSync(file)
  assert.equal(cutting.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'], 0)
  cutting.close()
  assert.equal(statSync(`${file}-wal`).size, 0)
  const beside = sqliteStore({ file, mode: 'read' })
  await store.commit([inserting(newKey())], chain)
  assert.equal((await beside.journal({ after: 0, limit: 10 })).length, 2)
  await beside.close()
  await store.close()
})

/** Takes away the right to write files of one folder, and to make others in it. */
function mayOnlyRead(file: string, ...others: readonly string[]): void {
  for (const path of [file, ...others]) chmodSync(path, 0o444)
  chmodSync(dirname(file), 0o555)
  chmodSync(folder, 0o755)
}

test('an empty log that was left behind where nothing may be written keeps nobody from reading', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  await store.close()
  writeFileSync(`${file}-wal`, '')
  mayOnlyRead(file, `${file}-wal`)
  const read = asReader(() => sqliteStore({ file, mode: 'read' }))
  assert.equal((await read.journal({ after: 0, limit: 10 })).length, 1)
  await read.close()
  chmodSync(dirname(file), 0o755)
})

test('a store is read where nothing may be written, not even beside it', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  await store.close()
  mayOnlyRead(file)
  const read = asReader(() => sqliteStore({ file, mode: 'read' }))
  assert.equal((await read.journal({ after: 0, limit: 10 })).length, 1)
  await read.close()
  assert.throws(() => asReader(() => sqliteStore({ file, mode: 'write' })), { code: 'store_unusable' })
  chmodSync(dirname(file), 0o755)
})

/**
 * Copies a database as a machine that stops leaves it, in the middle of a change of 100 notes by a program that keeps no
 * log: a part is in the file, and what was there before is in the journal beside it.
 */
function stoppedInAChange(file: string, copy: string): void {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN')
  for (let seq = 2; seq < 100; seq++) {
    const entry = { seq, at: 1, actor: 'a', action: 'issue', subject: 'b', change: 'x'.repeat(3000) } as const
    const values = entryValues({ ...entry, previous: '', hash: '' })
    database
      .prepare(
        'INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
      )
      .run(Object.fromEntries(values.map((value, index) => [index + 1, value])))
  }
  database.exec("UPDATE latchkey_keys SET name = 'half'")
  for (const end of ['', '-journal']) copyFileSync(file + end, copy + end)
  database.close()
}

test('a change that another program did not finish is never read: who only reads is told, who writes takes it out', async () => {
  const file = newFile()
  const first = sqliteStore({ file })
  const made = newKey()
  await first.commit([inserting(made)], chain)
  await first.close()
  const copy = `${file}.stopped`
  stoppedInAChange(file, copy)
  const before = sightOf(dirname(file))
  const refused = { code: 'store_unusable', message: /a change was interrupted.*Open it once to write/ }
  assert.throws(() => sqliteStore({ file: copy, mode: 'read' }), refused)
  await assert.rejects(backupSqlite({ file: copy, copy: `${file}.copy` }), refused)
  assert.deepEqual(sightOf(dirname(file)), before)
  const writing = sqliteStore({ file: copy, mode: 'write' })
  const { intact, entries } = await verifyJournal(writing)
  assert.deepEqual([intact, entries], [true, 1])
  await writing.close()
  const reading = sqliteStore({ file: copy, mode: 'read' })
  assert.equal((await reading.byId(made.key.id))?.key.name, made.key.name)
  await reading.close()
})

test('while another program changes a database without a log, what is committed is what is read', async () => {
  const file = newFile()
  const first = sqliteStore({ file })
  await first.commit([inserting(newKey())], chain)
  await first.close()
  const other = new DatabaseSync(file)
  other.exec("PRAGMA journal_mode = DELETE; BEGIN; UPDATE latchkey_keys SET name = 'later'")
  assert.ok(existsSync(`${file}-journal`))
  const reading = sqliteStore({ file, mode: 'read' })
  const name = async (): Promise<unknown> => (await reading.auditKeys(undefined, 1))[0]?.key?.name
  assert.notEqual(await name(), 'later')
  other.exec('COMMIT')
  assert.equal(await name(), 'later', 'it follows')
  await reading.close()
  other.close()
})

test('a store that was opened where nobody writes knows nothing any more once somebody does', async () => {
  const file = newFile()
  const made = newKey()
  const first = sqliteStore({ file })
  await first.commit([inserting(made)], chain)
  await first.close()
  for (const closes of [false, true]) {
    const still = sqliteStore({ file, mode: 'read' })
    const { head } = await changesSince(still, undefined)
    const writer = sqliteStore({ file })
    assert.deepEqual((await changesSince(still, head)).changed, [], 'it is there, and has written nothing yet')
    await writer.commit([inserting(newKey())], chain)
    if (closes) await writer.close()
    const changed = { code: 'store_unusable', message: /was changed since it was opened/ }
    await assert.rejects(async () => changesSince(still, head), changed)
    await assert.rejects(async () => still.bySecret(made.secret.hash), changed)
    await assert.rejects(async () => still.journal({ after: 0, limit: 1 }), changed)
    await still.close()
    await writer.close()
  }
})

test('tables of an older version are left as they are, but where they are to be brought up to date', async () => {
  const file = await olderDatabase()
  const before = sightOf(dirname(file))
  for (const mode of ['read', 'write'] as const) {
    assert.throws(() => sqliteStore({ file, mode }), {
      code: 'store_unusable',
      cause: 'older schema',
      message: /latchkey backup.*latchkey migrate/,
    })
  }
  const copy = `${file}.copy`
  await backupSqlite({ file, copy })
  assert.equal(statSync(copy).mode & 0o777, 0o600)
  assert.deepEqual(
    sightOf(dirname(file)).filter(([name]) => name !== basename(copy)),
    before,
  )
  const of = (path: string): unknown => {
    const database = new DatabaseSync(path, { readOnly: true })
    const [version] = database.prepare('SELECT MAX(version) AS version FROM latchkey_migrations').all()
    database.close()
    return version?.['version']
  }
  assert.deepEqual([of(file), of(copy)], [1, 1])
})

test('a database of the first version is brought up to date with all that it has', async () => {
  const file = newFile()
  mkdirSync(dirname(file))
  const database = new DatabaseSync(file)
  const [first = []] = migrations({
    integer: 'INTEGER',
    byPrimaryKey: 'WITHOUT ROWID',
    random: "''",
    numbered: 'INTEGER',
    ofItsOwn: [],
  })
  for (const statement of first) database.exec(String(statement))
  database.exec(`
    CREATE TABLE latchkey_migrations (version INTEGER PRIMARY KEY);
    INSERT INTO latchkey_migrations VALUES (1);
    INSERT INTO latchkey_keys VALUES (1, 'key_1', 'Shop', 'acme', 'live', '["orders:read"]', '{}', 'lk_live_abcd', 1000,
      NULL, NULL, NULL, NULL, NULL, 1);
    INSERT INTO latchkey_secrets VALUES ('${'a'.repeat(64)}', 1)`)
  const issued = JSON.stringify({ owner: 'acme', environment: 'live' })
  const entry = chain({ at: 1000, actor: 'test', action: 'issue', subject: 'key_1', change: issued }, undefined)
  database
    .prepare(
      'INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
    )
    .run(Object.fromEntries(entryValues(entry).map((value, index) => [index + 1, value])))
  database.close()
  assert.throws(() => sqliteStore({ file, mode: 'create' }), { cause: 'older schema' })
  const store = sqliteStore({ file })
  assert.ok(store.migrated > 0)
  const found = await store.bySecret('a'.repeat(64))
  assert.deepEqual([found?.key.id, found?.key.limits, found?.secret?.start], ['key_1', [], 'lk_live_abcd'])
  assert.equal((await verifyJournal(store)).intact, true)
  const ofOwner = await store.entries({ order: 'newest', position: undefined, limit: 10, owner: 'acme' })
  assert.deepEqual(
    ofOwner.map(({ entry: { seq } }) => seq),
    [1],
    'the journal of an owner has what was written before',
  )
  await store.commit([inserting(newKey())], chain)
  await store.close()
  const again = sqliteStore({ file })
  assert.equal(again.migrated, 0)
  await again.close()
})

test('each step on tables of an older version is told of before it is taken, and none on new ones', async () => {
  const file = newFile()
  mkdirSync(dirname(file))
  const database = new DatabaseSync(file)
  const [first = []] = migrations({
    integer: 'INTEGER',
    byPrimaryKey: 'WITHOUT ROWID',
    random: "''",
    numbered: 'INTEGER',
    ofItsOwn: [],
  })
  for (const statement of first) database.exec(String(statement))
  database.exec(`CREATE TABLE latchkey_migrations (version INTEGER PRIMARY KEY);
    INSERT INTO latchkey_migrations VALUES (1)`)
  const told: (MigrationStep & { readonly done: unknown })[] = []
  const store = sqliteStore({
    file,
    onMigration: (step) => {
      const row = database.prepare('SELECT MAX(version) AS version FROM latchkey_migrations').get()
      told.push({ ...step, done: row?.['version'] })
    },
  })
  const steps = store.migrated + 1
  assert.deepEqual(
    told,
    Array.from({ length: store.migrated }, (_, index) => ({ step: index + 2, steps, done: 1 })),
  )
  await store.close()
  database.close()
  const untold = { onMigration: () => assert.fail('nothing is brought up to date') }
  for (const path of [file, newFile()]) await sqliteStore({ file: path, ...untold }).close()
  assert.throws(() => sqliteStore({ file, onMigration: true as never }), { code: 'invalid_input' })
})

test('usage that was counted before it had an environment and a cost gets both', async () => {
  const file = newFile()
  mkdirSync(dirname(file))
  const database = new DatabaseSync(file)
  const before = migrations({
    integer: 'INTEGER',
    byPrimaryKey: 'WITHOUT ROWID',
    random: "''",
    numbered: 'INTEGER',
    ofItsOwn: [],
  }).slice(0, 7)
  for (const statement of before.flat()) if (typeof statement === 'string') database.exec(statement)
  database.exec(`
    CREATE TABLE latchkey_migrations (version INTEGER PRIMARY KEY);
    INSERT INTO latchkey_migrations VALUES (7);
    INSERT INTO latchkey_keys (place, id, name, owner, environment, scopes, metadata, start, created_at, revision)
      VALUES (1, 'key_1', 'Shop', 'acme', 'test', '[]', '{}', 'lk_test_abcd', 1000, 1);
    INSERT INTO latchkey_usage VALUES (0, '', '', 'malformed', 2);
    INSERT INTO latchkey_usage VALUES (0, 'key_1', 'acme', 'accepted', 3);
    INSERT INTO latchkey_usage VALUES (0, 'key_1', 'acme', 'over_limit', 4);
    INSERT INTO latchkey_usage VALUES (0, 'settings:ONE', 'settings', 'accepted', 5)`)
  database.close()
  const store = sqliteStore({ file })
  const place = { hour: 0, key: 'key_1', owner: 'acme', environment: 'test', limitName: '' }
  const nobody = { ...place, key: '', owner: '', environment: '' }
  assert.deepEqual(await store.usage(everyUse), [
    { ...nobody, outcome: 'malformed', count: 2, cost: 0 },
    { ...place, outcome: 'accepted', count: 3, cost: 3 },
    { ...place, outcome: 'over_limit', count: 4, cost: 0 },
    { ...nobody, key: 'settings:ONE', owner: 'settings', outcome: 'accepted', count: 5, cost: 5 },
  ])
  await store.close()
})

test('a backup that fails leaves no copy, and one that is there already stays', async () => {
  const file = newFile()
  await sqliteStore({ file }).close()
  const copy = `${file}.copy`
  writeFileSync(copy, 'somebody else')
  await assert.rejects(async () => backupSqlite({ file, copy }), { code: 'EEXIST' })
  assert.equal(statSync(copy).size, 13)
  rmSync(copy)
  const letter = join(folder, 'not-a-database')
  writeFileSync(letter, 'Dear reader, this is not a database, and it is longer than its header.'.repeat(20))
  await assert.rejects(async () => backupSqlite({ file: letter, copy }), { code: 'store_unusable' })
  assert.equal(existsSync(copy), false)
})

test('what stands behind a NUL in the journal is read, and is not what was written', async () => {
  for (const column of ['actor', 'action', 'subject', 'change', 'previous', 'hash']) {
    const file = newFile()
    const store = sqliteStore({ file })
    await store.commit([inserting(newKey()), inserting(newKey())], chain)
    const database = new DatabaseSync(file)
    database.exec(`UPDATE latchkey_journal SET ${column} = ${column} || char(0) || 'behind' WHERE seq = 2`)
    const [, altered] = await store.journal({ after: 0, limit: 2 })
    assert.match(String(altered?.[column as 'actor']), /\0behind$/)
    const report = await verifyJournal(store)
    assert.ok(!report.intact && report.fault !== 'rows')
    assert.deepEqual([report.at, report.entries], [2, 1], column)
    database.exec(`UPDATE latchkey_journal SET ${column} = CAST(replace(${column}, char(0) || 'behind', '') AS BLOB)`)
    database.close()
    assert.equal((await verifyJournal(store)).intact, false, `${column} in bytes`)
    await store.close()
  }
})

test('eight processes that open a new file at once all succeed, and write one journal', async () => {
  const file = newFile()
  const children = Array.from({ length: 8 }, () => fork(new URL('sqlite-writer.ts', import.meta.url), [file, '25']))
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as unknown))
  assert.deepEqual(
    codes,
    Array.from({ length: 8 }, () => 0),
  )
  const store = sqliteStore({ file })
  const report = await verifyJournal(store)
  assert.deepEqual([report.intact, report.entries], [true, 200])
  void store.close()
})

test('while another process is writing, a change waits for it and everyone else is served', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const made = newKey()
  await store.commit([inserting(made)], chain)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  const waiting = Promise.resolve(store.commit([inserting(newKey())], chain))
  let answered = false
  void waiting.then(() => (answered = true))
  for (let turn = 0; turn < 20; turn++) {
    assert.equal((await store.bySecret(made.secret.hash))?.key.id, made.key.id)
    await nextTurn()
  }
  assert.equal(answered, false)
  other.exec('COMMIT')
  other.close()
  assert.equal((await waiting)?.[0]?.seq, 2)
  await store.close()
})

test('no statement ever waits in SQLite for the lock of another process', async (context) => {
  const connections = new Set<DatabaseSync>()
  const { exec } = DatabaseSync.prototype
  context.mock.method(DatabaseSync.prototype, 'exec', function (this: DatabaseSync, text: string) {
    connections.add(this)
    exec.call(this, text)
  })
  const file = newFile()
  const stores = [sqliteStore({ file }), sqliteStore({ file, mode: 'write' }), sqliteStore({ file, mode: 'read' })]
  for (const connection of connections) {
    assert.deepEqual({ ...connection.prepare('PRAGMA busy_timeout').get() }, { timeout: 0 })
  }
  assert.equal(connections.size, 3)
  for (const store of stores) await store.close()
})

test('a change that waits for five seconds fails, says why, and leaves nothing behind', async (context) => {
  const file = newFile()
  const store = sqliteStore({ file })
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  const { now } = performance
  let passed = 0
  context.mock.method(performance, 'now', () => now.call(performance) + passed)
  const waiting = assert.rejects(async () => store.commit([inserting(newKey())], chain), /locked/)
  passed = 5001
  await waiting
  other.exec('COMMIT')
  other.close()
  assert.deepEqual(await store.journal({ after: 0, limit: 10 }), [])
  await store.close()
})

test('a call that waits for a second to spend fails and takes nothing, also behind a change that waits on', async (context) => {
  const file = newFile()
  const store = sqliteStore({ file })
  const quota = { amount: 5, refill: null }
  const made = newKey({ quota })
  const change = inserting(made)
  assert.ok(change.kind === 'insert')
  await store.commit([{ ...change, quota: { remaining: 5, period: 0 } }], chain)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  const { now } = performance
  let passed = 0
  context.mock.method(performance, 'now', () => now.call(performance) + passed)
  const changing = store.commit([inserting(newKey())], chain)
  const spending = assert.rejects(async () => store.spend(made.key.id, { cost: 1, quota, period: 0 }), /locked/)
  passed = 1001
  await spending
  other.exec('COMMIT')
  other.close()
  assert.equal((await changing)?.length, 1)
  assert.deepEqual((await store.byId(made.key.id))?.quotas, [{ remaining: 5, period: 0 }])
  await store.close()
})

test('a look that fails has seen nothing: the next one names what it would have', async (context) => {
  const file = newFile()
  const [ours, theirs] = [sqliteStore({ file }), sqliteStore({ file })]
  await changesSince(ours, undefined)
  const entries = await theirs.commit([inserting(newKey())], chain)
  const get = StatementSync.prototype.get
  const failing = context.mock.method(
    StatementSync.prototype,
    'get',
    function (this: StatementSync, ...values: Parameters<StatementSync['get']>) {
      if (this.sourceSQL.includes('latchkey_journal')) throw new Error('the disk is gone')
      return get.apply(this, values)
    },
  )
  await assert.rejects(async () => changesSince(ours, undefined), /the disk is gone/)
  failing.mock.restore()
  const { head, changed } = await changesSince(ours, undefined)
  assert.deepEqual([head?.seq, changed], [1, touchedBy(entries)])
  await ours.close()
  await theirs.close()
})

const lose: Readonly<Record<string, (file: string) => void>> = {
  deleted: (file) => rmSync(file),
  'left without its log': (file) => rmSync(`${file}-wal`),
  'replaced by another': (file) => {
    copyFileSync(file, `${file}.new`)
    renameSync(`${file}.new`, file)
  },
}

for (const [how, act] of Object.entries(lose)) {
  test(`a store whose file was ${how} under it says so at the next look, and acknowledges nothing`, async () => {
    const file = newFile()
    const store = sqliteStore({ file })
    const quota = { amount: 5, refill: null }
    const made = newKey({ quota })
    const change = inserting(made)
    assert.ok(change.kind === 'insert')
    await store.commit([{ ...change, quota: { remaining: 5, period: 0 } }], chain)
    const seen = await changesSince(store, undefined)
    act(file)
    const lost = { code: 'store_unusable', message: /was deleted or replaced/ }
    await assert.rejects(async () => changesSince(store, seen.head), lost)
    await assert.rejects(async () => store.commit([inserting(newKey())], chain), lost)
    await assert.rejects(async () => store.spend(made.key.id, { cost: 1, quota, period: 0 }), lost)
    await assert.rejects(async () => store.recordUsage({ counts: [], lastUsed: new Map() }), lost)
    await assert.rejects(async () => store.journal({ after: 0, limit: 1 }), lost)
    await store.close()
  })
}

test('a store is ready while it can be read and written', async (context) => {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.ready()
  const readOnly = context.mock.method(fs, 'accessSync', () => {
    throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })
  })
  syncBuiltinESMExports()
  await assert.rejects(async () => store.ready(), {
    code: 'store_unusable',
    message: /cannot be written to \(EROFS\)/,
  })
  const reading = sqliteStore({ file, mode: 'read' })
  await reading.ready()
  await reading.close()
  readOnly.mock.restore()
  syncBuiltinESMExports()
  await store.ready()
  rmSync(file)
  await assert.rejects(async () => store.ready(), { code: 'store_unusable', message: /was deleted/ })
  await store.close()
  await assert.rejects(async () => store.ready())
})

test('it is told whether anybody has a database open, here or in another process, and nothing else is done', async () => {
  const file = newFile()
  assert.equal(isInUse(file), false)
  assert.equal(existsSync(dirname(file)), false)
  assert.equal(isInUse(':memory:'), false)
  const first = sqliteStore({ file })
  assert.equal(isInUse(file), true)
  await first.commit([inserting(newKey())], chain)
  await first.close()
  const before = sightOf(dirname(file))
  assert.equal(isInUse(file), false)
  assert.deepEqual(sightOf(dirname(file)), before)
  const other = fork(new URL('lock-holder.ts', import.meta.url), [file])
  await once(other, 'message')
  for (const [word, answer] of [
    ['lock', 'locked'],
    ['unlock', 'free'],
  ] as const) {
    other.send(word)
    assert.equal((await once(other, 'message'))[0], answer)
    assert.equal(isInUse(file), true)
  }
  other.disconnect()
  await once(other, 'exit')
  assert.equal(isInUse(file), false)
  writeFileSync(file, 'Dear reader, this is not a database.'.repeat(100))
  assert.equal(isInUse(file), false)
})

test('a store is told once that another one accepts calls on its file, and not of one that only changes keys', async () => {
  const file = newFile()
  let told = 0
  const ours = sqliteStore({ file, onShared: () => told++ })
  const theirs = sqliteStore({ file })
  const place = { hour: 0, key: 'key_1', owner: 'acme', environment: 'live', outcome: 'accepted', limitName: '' }
  const usage = { ...place, count: 1, cost: 1 }
  const count = async (store: typeof ours): Promise<unknown> =>
    store.recordUsage({ counts: [usage], lastUsed: new Map() })
  let head: JournalHead | undefined
  const look = async (): Promise<number> => {
    ;({ head } = await changesSince(ours, head))
    await nextTurn()
    return told
  }
  await look()
  await theirs.commit([inserting(newKey())], chain)
  assert.equal(await look(), 0)
  await theirs.commit([inserting(newKey())], chain)
  await ours.commit([inserting(newKey()), inserting(newKey())], chain)
  await count(ours)
  assert.equal(await look(), 0, 'a change of theirs, then one of ours')
  await count(theirs)
  assert.equal(await look(), 1)
  await count(theirs)
  assert.equal(await look(), 1, 'once')
  await ours.close()
  await theirs.close()
  assert.throws(() => sqliteStore({ file, onShared: true as never }), { code: 'invalid_input', message: /onShared/ })
})

test('a change is not acknowledged when the file was deleted while it was written', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const deleting: typeof chain = (...given) => {
    rmSync(file)
    return chain(...given)
  }
  await assert.rejects(async () => store.commit([inserting(newKey())], deleting), { code: 'store_unusable' })
  await store.close()
})

test('a store in memory makes no file', () => {
  void sqliteStore({ file: ':memory:' }).close()
  assert.equal(existsSync(':memory:'), false)
})
