// The packages as their users get them: packed, looked at by publint and attw, installed in an empty folder,
// type-checked there, and run on the oldest and on the newest Node that they promise to run on. Then published as in
// the release workflow, but without sending.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { skipUnless } from '../test/machine.ts'
import { nodeOf, promisedNodes } from './nodes.ts'

const root = join(import.meta.dirname, '..')
const library = join(root, 'packages', 'latchkey')
const server = join(root, 'packages', 'latchkey-server')
const folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'))

/** The part of npm's report on a publication. */
interface Published {
  readonly name: string
  readonly files: readonly { readonly path: string }[]
}

function run(cwd: string, command: string, ...values: readonly string[]): string {
  return execFileSync(command, values, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

try {
  const packed = [library, server].map((workspace) => {
    const printed = run(workspace, 'npm', 'pack', '--silent', '--pack-destination', folder)
    return join(folder, printed.trim().split('\n').at(-1) ?? '')
  })
  for (const tarball of packed) {
    console.log(run(root, 'publint', tarball, '--strict'))
    console.log(run(root, 'attw', tarball, '--profile', 'esm-only'))
  }
  const [latchkey, latchkeyServer] = packed

  const { devDependencies } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'))
  const consumer = join(folder, 'consumer')
  cpSync(join(import.meta.dirname, 'consumer'), consumer, { recursive: true })
  const manifest = {
    private: true,
    type: 'module',
    dependencies: {
      latchkey: `file:${latchkey}`,
      'latchkey-server': `file:${latchkeyServer}`,
      fastify: devDependencies.fastify,
    },
  }
  writeFileSync(join(consumer, 'package.json'), JSON.stringify(manifest))
  run(consumer, 'npm', 'install', '--silent', '--no-audit', '--no-fund')
  // The repository's compiler and its types of Node, but the installed package's own types.
  run(
    consumer,
    join(root, 'node_modules', '.bin', 'tsc'),
    '-p',
    '.',
    '--typeRoots',
    join(root, 'node_modules', '@types'),
  )
  const commandLine = join(consumer, 'node_modules', '.bin', 'latchkey')
  for (const version of promisedNodes) {
    const { program, reason } = nodeOf(version)
    if (program === undefined) {
      console.log(`Skipped: ${skipUnless(false, reason)}`)
      continue
    }
    console.log(`Node ${version}`)
    const place = mkdtempSync(join(folder, 'run-'))
    console.log(run(place, program, join(consumer, 'consumer.js')))
    console.log(`latchkey ${run(place, program, commandLine, '--version')}`)
  }

  const workflow = parse(readFileSync(join(root, '.github', 'workflows', 'release.yml'), 'utf8')) as {
    jobs: { publish: { steps: readonly { run?: string }[] } }
  }
  const commands = workflow.jobs.publish.steps.flatMap(({ run: line = '' }) =>
    line.startsWith('npm publish ') ? [line.split(' ').slice(1)] : [],
  )
  const published = commands.flatMap((values) => {
    const printed = run(root, 'npm', ...values, '--dry-run', '--json', '--loglevel', 'error')
    const told = JSON.parse(printed) as Published | Readonly<Record<string, Published>>
    // For one workspace, npm before 11 prints only that one.
    return 'files' in told ? [told as Published] : Object.values(told)
  })
  assert.deepEqual(
    published.map(({ name }) => name),
    ['latchkey', 'latchkey-server'],
  )
  for (const { name, files } of published) {
    const unexpected = files.filter(
      ({ path }) => !/^(?:dist\/.*\.(?:js|d\.ts)|LICENSE|README\.md|package\.json)$/.test(path),
    )
    assert.deepEqual(unexpected, [], `${name} would be published with more than it should`)
    console.log(`${name} would be published with ${files.length} files`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
