// `npm run test:nodes`: all tests on the oldest and on the newest Node that the packages promise to run on, or on the
// given versions, and each file in a process of its own.
import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { nodeOf, promisedNodes } from './nodes.ts'

const root = join(import.meta.dirname, '..')
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
  const { status } = spawnSync(program, [join('check', 'test.ts'), 'apart'], {
    cwd: root,
    env: { ...process.env, PATH },
    stdio: 'inherit',
  })
  console.log(`Node ${version}: ${status === 0 ? 'all tests passed' : 'tests failed'}`)
  if (status !== 0) process.exitCode = 1
}
