import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, renameSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openKeyring } from '../../src/index.ts'
import { chain } from '../../src/journal/chain.ts'
import type { UsageCount } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { moveLog } from '../../src/store/sqlite/checkpoints.ts'
import { hasReader } from '../../src/store/sqlite/reader.ts'
import { recordUsage } from '../conformance/record.ts'
import { inserting, newKey } from '../conformance/store.ts'
import { everyUse } from '../conformance/usage.ts'

const folder = temporaryFolder('reader')
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

/** The threads that are started from now on. */
function threadsStarted(context: TestContext): readonly Worker[] {
  const threads: Worker[] = []
  const note = (worker: Worker): unknown => threads.push(worker)
  process.on('worker', note)
  context.after(() => process.off('worker', note))
  return threads
}

/** Keeps questions from a thread, as if it were busy with another, until they are released. */
function hold(thread: Worker): () => void {
  const held: unknown[] = []
  thread.postMessage = (question: unknown) => void held.push(question)
  return () => {
    Reflect.deleteProperty(thread, 'postMessage')
    for (const question of held) thread.postMessage(question, [])
  }
}

const everything = { after: 0, limit: 1000, subject: undefined, actor: undefined, from: undefined, to: undefined }

test('what may read many rows is read in one thread, started when it is first needed, and sees each change', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile() })
  for (let count = 1; count <= 3; count++) {
    await store.commit([inserting(newKey())], chain)
    if (count === 1) assert.equal(threads.length, 0)
    const [entries, keys] = await Promise.all([store.journal(everything), store.auditKeys(undefined, 10)])
    assert.deepEqual([entries.length, keys.length], [count, count])
  }
  assert.equal(threads.length, 1)
  const ended = once(threads[0]!, 'exit')
  await store.close()
  await ended
})

test('when the thread ends, those who wait are told, and the next read starts another', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile() })
  await store.commit([inserting(newKey())], chain)
  await store.newestRevision()
  void threads[0]?.terminate()
  const waiting = Promise.resolve(store.journal(everything))
  await assert.rejects(waiting, {
    code: 'store_unusable',
    message: /^The thread that reads the database .+ has ended\.$/,
  })
  assert.equal((await store.journal(everything)).length, 1)
  assert.equal(threads.length, 2)
  await store.close()
})

test('an error in the thread is the error that it would be here', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const made = newKey()
  await store.commit([inserting(made)], chain)
  const other = new DatabaseSync(file)
  other.exec(`UPDATE latchkey_keys SET scopes = 'no list'`)
  const here = await Promise.resolve()
    .then(() => store.byId(made.key.id))
    .catch((error: unknown) => error)
  await assert.rejects(Promise.resolve(store.grants([made.key.environment])), { code: (here as { code: string }).code })
  other.exec('DROP TABLE latchkey_usage')
  const asked = store.usage(everyUse)
  await assert.rejects(Promise.resolve(asked), { code: 'ERR_SQLITE_ERROR', errcode: 1, message: /no such table/ })
  other.close()
  await store.close()
})

/** Counts of so many keys in one hour. */
const countsOf = (keys: number): readonly UsageCount[] =>
  Array.from({ length: keys }, (_, key) => ({
    hour: 0,
    key: `key_${key}`,
    owner: 'acme',
    environment: 'live',
    outcome: 'accepted',
    limitName: '',
    count: 1,
    cost: 1,
  }))

test('after some hundred written rows a thread moves the log into the file', async (context) => {
  const threads = threadsStarted(context)
  const file = newFile()
  const store = sqliteStore({ file })
  await recordUsage(store, { counts: countsOf(200), lastUsed: new Map() })
  assert.equal(threads.length, 0)
  await recordUsage(store, { counts: countsOf(800), lastUsed: new Map() })
  // The same thread answers it afterwards.
  await store.journal({ ...everything, urgent: true })
  assert.equal(threads.length, 1)
  copyFileSync(file, `${file}.copy`)
  const copied = new DatabaseSync(`${file}.copy`, { readOnly: true })
  const moved = Number(copied.prepare('SELECT SUM(count) AS count FROM latchkey_usage').get()?.['count'])
  assert.ok(moved > 750, `${moved} rows of 1000 moved: less than 250 may wait for the next time`)
  copied.close()
  await store.close()
})

test('a log of which something is left when it was moved begins anew all the same', () => {
  const file = newFile()
  const [writing, reading, moving] = [new DatabaseSync(file), new DatabaseSync(file), new DatabaseSync(file)]
  writing.exec('PRAGMA journal_mode = WAL')
  writing.exec('PRAGMA wal_autocheckpoint = 0')
  writing.exec('CREATE TABLE pages (page)')
  const write = (): void => writing.exec('INSERT INTO pages VALUES (randomblob(20000000))')
  write()
  reading.exec('BEGIN')
  reading.prepare('SELECT COUNT(*) FROM pages').get()
  write()
  moveLog({
    exec: (text) => moving.exec(text),
    prepare(text) {
      const statement = moving.prepare(text)
      const get = statement.get.bind(statement)
      statement.get = () => {
        const found = get()
        reading.exec('COMMIT')
        return found
      }
      return statement
    },
  })
  writing.exec('INSERT INTO pages VALUES (1)')
  const pages = Number(moving.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['log'])
  assert.ok(pages < 100, `${pages} pages`)
  for (const database of [writing, reading, moving]) database.close()
})

test('usage that is written is answered, whatever the thread that moves the log is doing', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile() })
  await store.journal({ ...everything, urgent: true })
  const release = hold(threads[0]!)
  const write = async (): Promise<void> => recordUsage(store, { counts: countsOf(1000), lastUsed: new Map() })
  await Promise.all([write(), write(), write()])
  release()
  await store.close()
})

test('where the thread ends while it moves the log, nothing that was written fails', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile() })
  await store.journal({ ...everything, urgent: true })
  const ended = once(threads[0]!, 'exit')
  void threads[0]?.terminate()
  await recordUsage(store, { counts: countsOf(1000), lastUsed: new Map() })
  await ended
  await nextTurn()
  await recordUsage(store, { counts: countsOf(1000), lastUsed: new Map() })
  await nextTurn()
  assert.equal(threads.length, 2)
  await store.close()
})

test('a change does not wait for lists and sums: its reads have a thread of their own', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile() })
  const keyring = await openKeyring({ store, scopes: { 'orders:read': 'x' } })
  const environments = ['live', 'admin']
  const issueAdmin = async (delegated: readonly string[]): Promise<string> => {
    const delegation = { owner: null, environments: delegated, scopes: ['*'] as const }
    const scopes = ['keys:read', 'keys:write', 'owners:read'] as const
    return (await keyring.issue({ name: 'admin', owner: 'ops', environment: 'admin', scopes, delegation })).key.id
  }
  const [first, , bounded] = [
    await issueAdmin(environments),
    await issueAdmin(environments),
    await issueAdmin(['live']),
  ]
  const { key } = await keyring.as(first).issue({ name: 'robot', owner: 'acme', scopes: ['orders:read'] })
  await keyring.list()
  const release = hold(threads[0]!)
  const waiting = keyring.list()
  await keyring.rotate(key.id)
  await assert.rejects(keyring.rotate(key.id), { code: 'conflict' })
  assert.equal((await keyring.as(bounded).owner('acme'))?.owner, 'acme')
  await keyring.revoke(first, { reason: 'compromised', withIssued: true })
  assert.equal((await keyring.find(key.id))?.state, 'revoked')
  release()
  await waiting
  assert.equal(threads.length, 2)
  await keyring.close()
})

test('so many reads may wait and no more: the next one is refused at once', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile() })
  await store.journal(everything)
  const release = hold(threads[0]!)
  const waiting = Array.from({ length: 64 }, async () => store.journal(everything))
  await assert.rejects(async () => store.journal(everything), { code: 'unavailable', message: /^64 reads .+ waiting/ })
  assert.deepEqual(await store.journal({ ...everything, urgent: true }), [])
  release()
  await Promise.all(waiting)
  assert.deepEqual(await store.journal(everything), [])
  await store.close()
})

test('a file that was replaced is not read on from the thread', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  await store.commit([inserting(newKey())], chain)
  assert.equal((await store.journal(everything)).length, 1)
  renameSync(file, `${file}.away`)
  await assert.rejects(Promise.resolve(store.journal(everything)), { code: 'store_unusable' })
  await store.close()
})

test('a database in memory is read where it is', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: ':memory:' })
  await store.commit([inserting(newKey())], chain)
  assert.equal((await store.journal(everything)).length, 1)
  assert.equal(threads.length, 0)
  await store.close()
})

test('a store that is to start no thread reads here, and everything else has its turn between two reads', async (context) => {
  const threads = threadsStarted(context)
  const store = sqliteStore({ file: newFile(), readerThread: false })
  await store.commit([inserting(newKey())], chain)
  const turn = nextTurn('turn')
  assert.equal((await store.journal(everything)).length, 1)
  assert.equal(await Promise.race([turn, Promise.resolve('none')]), 'turn')
  assert.equal(threads.length, 0)
  const read = store.journal(everything)
  await store.close()
  await assert.rejects(Promise.resolve(read), { code: 'store_unusable', message: /is closed/ })
  await assert.rejects(Promise.resolve(store.journal(everything)), { code: 'store_unusable', message: /is closed/ })
  assert.throws(() => sqliteStore({ file: newFile(), readerThread: 1 as never }), { code: 'invalid_input' })
})

test('a database that stands still is read as it stood in the thread too, until somebody writes', async () => {
  const file = newFile()
  const writer = sqliteStore({ file })
  await writer.commit([inserting(newKey())], chain)
  await writer.close()
  const store = sqliteStore({ file, mode: 'read' })
  assert.equal((await store.journal(everything)).length, 1)
  const again = sqliteStore({ file })
  await again.commit([inserting(newKey())], chain)
  await assert.rejects(Promise.resolve(store.journal(everything)), { code: 'store_unusable', message: /was changed/ })
  await again.close()
  await store.close()
})

const storeProgram = new URL('../../src/store/sqlite.ts', import.meta.url)

test('where Node.js may start no thread, what may read many rows is read all the same', () => {
  const program = `
    const { sqliteStore } = await import(${JSON.stringify(storeProgram.href)})
    const store = sqliteStore({ file: ${JSON.stringify(newFile())} })
    console.log(await store.newestRevision())
    await store.close()`
  const allowed = ['--permission', '--allow-fs-read=*', `--allow-fs-write=${folder}`]
  const flags = [...allowed, '--conditions=@latchkey/source', '--input-type=module', '--eval', program]
  assert.equal(execFileSync(process.execPath, flags, { encoding: 'utf8' }), '0\n')
})

test('a file that does not know where it is, as a bundler makes them, has no thread', async () => {
  const file = new URL('sqlite/reader.ts', storeProgram)
  assert.ok(hasReader)
  const text = stripTypeScriptTypes(readFileSync(file, 'utf8')).replaceAll(
    /from '(\..+)'/g,
    (_, path: string) => `from '${new URL(path, file).href}'`,
  )
  for (const bundled of [text, text.replaceAll('import.meta', '({})')]) {
    const moved = (await import(`data:text/javascript,${encodeURIComponent(bundled)}`)) as {
      readonly hasReader: boolean
    }
    assert.equal(moved.hasReader, false)
  }
})
