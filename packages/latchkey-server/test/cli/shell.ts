import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Ran, Workplace } from './running.ts'
import { command } from './running.ts'

/** The environment of a workplace in which `latchkey` is a program on the path, as a user has it installed. */
export function withProgram({ folder, environment }: Workplace): Readonly<Record<string, string>> {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const program = join(bin, 'latchkey')
  writeFileSync(program, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(' ')} "$@"\n`)
  chmodSync(program, 0o755)
  return { ...environment, PATH: `${bin}${delimiter}${environment['PATH'] ?? ''}` }
}

/** Runs lines as they are typed into a shell, in the folder of the workplace. The first that fails ends it. */
export async function inShell(
  here: Workplace,
  lines: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', lines], {
    cwd: here.folder,
    env: { ...withProgram(here), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  return { code: code ?? signal ?? 0, stdout, stderr }
}
