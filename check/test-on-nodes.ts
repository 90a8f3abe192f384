// `npm run test:nodes`: `npm test` on the oldest and on the newest Node that the packages promise to run on, or on the
// given versions.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { nodeOf, promisedNodes } from './nodes.ts'

const root = join(import.meta.dirname, '..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { test: string } }
const given = process.argv.slice(2)

for (const version of given.length > 0 ? given : promisedNodes) {
  const { program, reason } = nodeOf(version)
  if (program === undefined) {
    console.error(reason)
    process.exitCode = 1
    continue
  }
  console.log(`Node ${version}`)
  const PATH = [dirname(program), process.env['PATH']].join(delimiter)
  const { status } = spawnSync(scripts.test, {
    cwd: root,
    shell: true,
    env: { ...process.env, PATH },
    stdio: 'inherit',
  })
  console.log(`Node ${version}: ${status === 0 ? 'all tests passed' : 'tests failed'}`)
  if (status !== 0) process.exitCode = 1
}
