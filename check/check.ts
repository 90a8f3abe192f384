// `npm run check`: all checks of the code that do not run the service. Each step is a program of its own; all are run,
// and the command fails if any did.
import { spawnSync } from 'node:child_process'

const node = ['node', '--conditions=@latchkey/source']

const steps: Readonly<Record<string, readonly string[]>> = {
  'programs for this platform': ['node', 'check/platform.ts'],
  types: ['tsc', '-p', '.'],
  'published types and code': ['tsc', '-p', 'packages/latchkey/tsconfig.build.json'],
  "the server's published code": ['tsc', '-p', 'packages/latchkey-server/tsconfig.build.json'],
  'lint, with at most three parameters': ['oxlint', '--type-aware', '--deny-warnings'],
  format: ['oxfmt', '--check'],
  names: ['node', 'check/names.ts'],
  'API reference': ['node', 'check/reference.ts', '--check'],
  'links and words of the pages': [
    ...node,
    '--test',
    '--test-reporter=dot',
    '--test-name-pattern=links and images lead somewhere|no word that was replaced|the words stand in the order',
    'test/docs.test.ts',
    'test/words.test.ts',
  ],
  'import directions and exports': [
    ...node,
    '--test',
    '--test-reporter=dot',
    'packages/latchkey/test/architecture.test.ts',
  ],
  'OpenAPI documents': [...node, 'check/documents.ts'],
  'unused code': ['knip'],
  'the packed packages': [...node, 'check/package.ts'],
}

let failed = 0
for (const [name, [command = '', ...values]] of Object.entries(steps)) {
  const began = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, values, { encoding: 'utf8' })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const good = status === 0
  console.log(`${good ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)`)
  for (const [line] of stdout.matchAll(/^Skipped: .*$/gm)) console.log(`      ${line}`)
  if (good) continue
  failed++
  console.log([error?.message, stdout, stderr].filter(Boolean).join('\n'))
}
const total = Object.keys(steps).length
console.log(`${total - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
