import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { engines } = JSON.parse(readFileSync(join(root, 'packages', 'latchkey', 'package.json'), 'utf8')) as {
  engines: { readonly node: string }
}

/** The ends of what `engines` promises: the oldest as it is written there, and the newest that we have tried. */
export const promisedNodes: readonly string[] = [/\d+\.\d+\.\d+/.exec(engines.node)?.[0] ?? '', '26.10.0']

/** A Node of its own, or why it does not run on this machine. */
export type Runtime =
  | { readonly program: string; readonly reason?: never }
  | { readonly program?: never; readonly reason: string }

/** Gets a Node from npm, once after each `npm ci`, and tries it. */
export function nodeOf(version: string): Runtime {
  const folder = join(root, 'node_modules', '.cache', 'nodes', version)
  const program = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(program)) {
    const manifest = { private: true, dependencies: { node: version }, allowScripts: { node: true } }
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    const options = ['--silent', '--no-audit', '--no-fund']
    execFileSync('npm', ['install', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  const { stdout, stderr, error } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  if (stdout?.trim() === `v${version}`) return { program }
  return { reason: `Node ${version} does not run here: ${error?.message ?? stderr.trim()}` }
}
