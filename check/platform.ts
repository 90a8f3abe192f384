// Completes `npm ci`: brings the programs for this platform that npm has left out.
//
// npm leaves out an optional package whose `engines` do not fit the Node that npm itself runs on, and says nothing. The
// formatter, the linter and knip are such packages, one for each platform. On a machine with Node 18 they are missing,
// though our scripts run on a Node that they fit. So npm is run once more here, on that one.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Locked {
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
}

const root = join(import.meta.dirname, '..')

/** Whether a package of this name and platform is for this machine. */
function isForThisMachine({ optional = false, os, cpu, libc }: Locked): boolean {
  if (!optional || os === undefined || cpu === undefined) return false
  return (
    os.includes(process.platform) && cpu.includes(process.arch) && (libc === undefined || libc.includes(libcHere()))
  )
}

function libcHere(): string {
  // This option is not in the types. Without it, names of remote hosts are looked up.
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  report.excludeNetwork = true
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
}

function missing(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, Locked>>
  }
  return Object.entries(packages)
    .filter(([folder, locked]) => isForThisMachine(locked) && !existsSync(join(root, folder)))
    .map(([folder]) => folder)
}

if (missing().length > 0) {
  console.log('Programs for this platform are missing: npm ran on a Node that is too old for them. Installing them.')
  // Without scripts, which have run: that of the package `node` would replace the program that runs this.
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts'], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '--no-deprecation' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const left = missing()
  if (left.length > 0) throw new Error(`npm has not installed ${left.join(', ')}`)
}
