// The library as its users get it: packed, looked at by publint and attw, installed in an empty folder beside the
// oldest Node that it promises to run on, type-checked there and run.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const library = join(root, 'packages', 'latchkey')
const folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'))

function run(cwd: string, command: string, ...values: readonly string[]): string {
  return execFileSync(command, values, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

try {
  run(library, 'npm', 'pack', '--silent', '--pack-destination', folder)
  const [tarball = ''] = readdirSync(folder)
  const packed = join(folder, tarball)
  console.log(run(root, 'publint', packed, '--strict'))
  console.log(run(root, 'attw', packed, '--profile', 'esm-only'))

  const { engines, devDependencies } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'))
  const oldest = `${/[\d.]+/.exec(engines.node)?.[0]}.0`
  const consumer = join(folder, 'consumer')
  cpSync(join(import.meta.dirname, 'consumer'), consumer, { recursive: true })
  const manifest = {
    private: true,
    type: 'module',
    dependencies: { latchkey: `file:${packed}`, fastify: devDependencies.fastify, node: oldest },
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
  console.log(run(consumer, join(consumer, 'node_modules', '.bin', 'node'), 'consumer.js'))
} finally {
  rmSync(folder, { recursive: true })
}
