import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { terminalCommand } from '../../../../test/machine.ts'
import type { RunOptions, Workplace } from './running.ts'
import { command } from './running.ts'

/** What is typed, and what must stand on the screen before that; or what is done then, and what is typed after it. */
export type Typed = readonly (readonly [after: RegExp, keys: string | (() => Promise<string>)])[]

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
  const [program = '', ...words] = terminalCommand(`stty cols ${columns} rows 50; exec ${quoted}`) ?? []
  const child = spawn(program, words, {
    cwd: folder,
    env: { ...environment, TERM: 'xterm-256color', ...env },
    // A question that nobody asked is never answered.
    timeout: 300_000,
    killSignal: 'SIGKILL',
  })
  let screen = ''
  const left = [...typed]
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    const [next] = left
    if (next === undefined || !next[0].test(screen)) return
    left.shift()
    const [, keys] = next
    if (typeof keys === 'string') child.stdin.write(keys)
    else void keys().then((typedThen) => child.stdin.write(typedThen))
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, screen }
}
