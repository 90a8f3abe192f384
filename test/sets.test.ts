import assert from 'node:assert/strict'
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runs, testSets } from './sets.ts'
import { temporaryFolder } from './temporary-folder.ts'

const root = dirname(import.meta.dirname)
const { fast, slow } = testSets()

test('every test file is in one of the two sets, and is run once by `npm test`, together and apart', () => {
  const all = globSync('**/*.test.ts', { cwd: root, exclude: ['**/node_modules', '**/dist'] }).toSorted()
  assert.deepEqual([...fast, ...slow].toSorted(), all)
  for (const name of ['all', 'apart'])
    assert.deepEqual((runs[name] ?? []).flatMap(({ files }) => files).toSorted(), all, name)
})

test('the fast set has the library and the server, and nothing that starts a program', () => {
  for (const name of ['latchkey/test/verify/verify', 'latchkey/test/guard/fastify', 'latchkey-server/test/http/life'])
    assert.ok(fast.includes(`packages/${name}.test.ts`), name)
  for (const name of ['latchkey/test/store/sqlite', 'latchkey-server/test/http/docs', 'latchkey-server/test/cli/life'])
    assert.ok(slow.includes(`packages/${name}.test.ts`), name)
  assert.ok(fast.length > 40 && fast.every((file) => file.startsWith('packages/')), String(fast.length))
})

test('a test that starts a process by way of another file is slow, one that takes only its types is fast', () => {
  const folder = temporaryFolder('sets')
  mkdirSync(join(folder, 'packages', 'one', 'test', 'deep'), { recursive: true })
  const files: Readonly<Record<string, string>> = {
    'starting.ts': `import { spawn } from 'node:child_process'`,
    'between.ts': `export * from './starting.ts'\nimport './between.ts'`,
    'direct.test.ts': `import { test } from 'node:test'\nimport { fork } from 'node:child_process'`,
    'deep/indirect.test.ts': `import { something } from '../between.ts'`,
    'late.test.ts': `const { something } = await import('./between.ts')`,
    'types.test.ts': `import type { ChildProcess } from 'node:child_process'\nimport type { Some } from './between.ts'`,
    'browser.test.ts': `import { chromium } from 'playwright-core'`,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'packages', 'one', 'test', name), text)
  assert.deepEqual(testSets(folder), {
    fast: ['packages/one/test/types.test.ts'],
    slow: ['browser', 'deep/indirect', 'direct', 'late'].map((name) => `packages/one/test/${name}.test.ts`),
  })
})
