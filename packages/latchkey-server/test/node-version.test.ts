// On a Node that is too old the program says so in a line, before it loads what that Node does not have.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { skipUnless } from '../../../test/machine.ts'
import { temporaryFolder } from '../../../test/temporary-folder.ts'
import { manifest } from '../src/manifest.ts'
import { nodeFault } from '../src/node-version.ts'

const { node: range } = manifest.engines

test('a version is judged by the range of the package, and the line says which Node is needed', () => {
  const both = '^24.16.0 || >=26'
  for (const fit of ['24.16.0', '24.21.3', '26.0.0', '26.10.0', '100.0.0'])
    assert.equal(nodeFault(fit, both), undefined)
  for (const unfit of ['18.20.8', '22.22.2', '24.15.9', '24.2.0', '25.0.0', '25.99.0'])
    assert.equal(
      nodeFault(unfit, both),
      `This is Node ${unfit}. Latchkey needs Node 24.16 or a later 24, or 26 or later.`,
    )
  assert.equal(nodeFault('24.15.0', '>=24.15'), undefined)
  assert.equal(nodeFault('24.14.9', '>=24.15'), 'This is Node 24.14.9. Latchkey needs Node 24.15 or later.')
  assert.equal(nodeFault(process.versions.node, range), undefined)
})

const folder = temporaryFolder('node')

/** The published program as far as the look at the version; what comes after it says that it was reached. */
function program(name: string, node: string): string {
  const root = join(folder, name)
  mkdirSync(join(root, 'dist', 'cli'), { recursive: true })
  writeFileSync(join(root, 'package.json'), JSON.stringify({ type: 'module', version: '0.0.0', engines: { node } }))
  for (const file of ['main', 'manifest', 'node-version']) {
    const source = readFileSync(join(import.meta.dirname, '..', 'src', `${file}.ts`), 'utf8')
    const published = stripTypeScriptTypes(source).replaceAll(/(?<=')(\.\/[\w/-]+)\.ts(?=')/g, '$1.js')
    writeFileSync(join(root, 'dist', `${file}.js`), published)
  }
  writeFileSync(join(root, 'dist', 'cli', 'run.js'), "export const run = () => console.log('reached')")
  return join(root, 'dist', 'main.js')
}

test('nothing is loaded on a Node that will not do: one line, exit code 78', () => {
  const none = spawnSync(process.execPath, [program('none', '>=1000'), '--version'], { encoding: 'utf8' })
  const line = `This is Node ${process.versions.node}. Latchkey needs Node 1000 or later.\n`
  assert.deepEqual([none.status, none.stdout, none.stderr], [78, '', line])
  const fit = spawnSync(process.execPath, [program('fit', range), '--version'], { encoding: 'utf8' })
  assert.deepEqual([fit.status, fit.stdout, fit.stderr], [0, 'reached\n', ''])
})

/** Every Node on this machine that will not do, by its version. */
const old = new Map(
  (process.env['PATH'] ?? '').split(delimiter).flatMap((path): readonly (readonly [string, string])[] => {
    const node = join(path, 'node')
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim().slice(1) ?? ''
    return version !== '' && nodeFault(version, range) !== undefined ? [[version, node]] : []
  }),
)

test(
  'the Nodes of this machine that are too old can read it so far',
  { skip: skipUnless(old.size > 0, 'no Node on the PATH is too old') },
  () => {
    for (const [version, node] of old) {
      const { status, stdout, stderr } = spawnSync(node, [program(version, range), '--version'], { encoding: 'utf8' })
      assert.deepEqual([status, stdout, stderr], [78, '', `${nodeFault(version, range)}\n`])
    }
  },
)
