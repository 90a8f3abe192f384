// The packages as their users get them: packed, looked at by publint and attw, installed in an empty folder beside the
// oldest Node that they promise to run on, type-checked there and run.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const library = join(root, 'packages', 'latchkey')
const server = join(root, 'packages', 'latchkey-server')
const folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'))

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

  const { engines, devDependencies } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'))
  const oldest = `${/[\d.]+/.exec(engines.node)?.[0]}.0`
  const consumer = join(folder, 'consumer')
  cpSync(join(import.meta.dirname, 'consumer'), consumer, { recursive: true })
  const manifest = {
    private: true,
    type: 'module',
    dependencies: {
      latchkey: `file:${latchkey}`,
      'latchkey-server': `file:${latchkeyServer}`,
      fastify: devDependencies.fastify,
      node: oldest,
    },
    allowScripts: { node: true },
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
  const installed = (name: string): string => join(consumer, 'node_modules', '.bin', name)
  console.log(run(consumer, installed('node'), 'consumer.js'))
  console.log(`latchkey ${run(consumer, installed('node'), installed('latchkey'), '--version')}`)
} finally {
  rmSync(folder, { recursive: true })
}
