import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { RunOptions, Workplace } from './running.ts'
import { command } from './running.ts'

/** What runs a line of the shell in a terminal of its own; `undefined` where nothing can. */
const terminalFor = [
  (line: string) => ['script', '-qefc', line, '/dev/null'],
  (line: string) => [
    'python3',
    '-c',
    'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))',
    line,
  ],
].find((open) => {
  const [program = '', ...values] = open('test -t 0 && test -t 1 && stty cols 80')
  return spawnSync(program, values, { stdio: ['pipe', 'ignore', 'ignore'], timeout: 20_000 }).status === 0
})

/** Why there is no terminal to test in; `false` where there is one. For the option `skip` of a test. */
export const noTerminal: string | false =
  terminalFor === undefined && 'neither script(1) nor python3 can open a pseudo-terminal here'

/** What is typed, and what must stand on the screen before that. */
export type Typed = readonly (readonly [after: RegExp, keys: string])[]

/** What a terminal showed, and how the command ended. */
export interface Shown {
  readonly code: number
  readonly screen: string
}

/** Runs a command in a terminal of its own, so many characters wide, with somebody who types. */
export async function inTerminal(
  { folder, environment }: Workplace,
  values: readonly string[],
  { env = {}, columns = 80, typed = [] }: Pick<RunOptions, 'env'> & { columns?: number; typed?: Typed } = {},
): Promise<Shown> {
  const quoted = [...command, ...values].map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
  const [program = '', ...words] = terminalFor?.(`stty cols ${columns} rows 50; exec ${quoted}`) ?? []
  const child = spawn(program, words, {
    cwd: folder,
    env: { ...environment, TERM: 'xterm-256color', ...env },
    // A question that nobody asked is never answered.
    timeout: 20_000,
    killSignal: 'SIGKILL',
  })
  let screen = ''
  const left = [...typed]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    const [next] = left
    if (next === undefined || !next[0].test(screen)) return
    left.shift()
    child.stdin.write(next[1])
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, screen }
}
