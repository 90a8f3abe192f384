import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { beforeRemoval, temporaryFolder } from './temporary-folder.ts'

const root = dirname(import.meta.dirname)

/** A test that is over when it is told so. */
function ending() {
  const hooks: (() => Promise<void>)[] = []
  return {
    context: { after: (hook: () => Promise<void>) => void hooks.push(hook) },
    async end() {
      for (const hook of hooks) await hook()
    },
  }
}

test('what is open in a folder is closed before it goes, what was opened last first, and each is waited for', async () => {
  const { context, end } = ending()
  const folder = temporaryFolder('closing', { context })
  const closed: string[] = []
  for (const name of ['database', 'server', 'process']) {
    beforeRemoval(folder, async () => {
      await new Promise(setImmediate)
      writeFileSync(join(folder, name), '')
      closed.push(name)
    })
  }
  await end()
  assert.deepEqual(closed, ['process', 'server', 'database'])
  assert.equal(existsSync(folder), false)
  assert.throws(() => beforeRemoval(folder, () => undefined), /is gone/)
})

test('what does not close fails the test, and keeps neither the others nor the folder open', async () => {
  const { context, end } = ending()
  const folder = temporaryFolder('failing', { context })
  let closed = false
  beforeRemoval(folder, () => (closed = true))
  beforeRemoval(folder, async () => Promise.reject(new Error('the disk is full')))
  await assert.rejects(end(), (error: AggregateError) => /the disk is full/.test(String(error.errors)))
  assert.deepEqual([closed, existsSync(folder)], [true, false])
})

test('a folder that a test makes goes with it, and that of a file of tests with the file', () => {
  const folder = temporaryFolder('kinds')
  const source = `
    import { existsSync } from 'node:fs'
    import { test } from 'node:test'
    import { temporaryFolder } from ${JSON.stringify(join(root, 'test', 'temporary-folder.ts'))}
    const [file] = [temporaryFolder('file')]
    let own
    test('one', () => void (own = temporaryFolder('own')))
    test('two', () => console.log(existsSync(file), existsSync(own)))
    process.on('exit', () => console.log(existsSync(file)))
  `
  writeFileSync(join(folder, 'kinds.mjs'), source)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = spawnSync(process.execPath, ['kinds.mjs'], { cwd: folder, env, encoding: 'utf8' })
  assert.deepEqual(stdout.match(/^(?:true|false).*$/gm), ['true false', 'false'], stdout)
})

test('no other file of tests makes a folder that goes, or ends a process by a hook that does not wait for it', () => {
  const files = globSync('{.,bench,examples/*,packages/*}/test/**/*.ts', { cwd: root })
  assert.ok(files.length > 100, String(files.length))
  const made = files.filter((file) => /\bmkdtemp/.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(made.map(normalize), ['test/temporary-folder.ts'])
  const ended = files.filter((file) => /\bafter\(\(\) => \w+\.kill\(/.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(ended, [])
})
