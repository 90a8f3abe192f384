import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kill } from '../../../../test/kill.ts'
import { beforeRemoval, temporaryFolder } from '../../../../test/temporary-folder.ts'
import { compileCache, hosted } from './hosted.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const main = join(root, 'packages', 'latchkey-server', 'src', 'main.ts')

/** What runs the command line as a user has it, before its arguments. */
export const command: readonly string[] = [process.execPath, '--conditions=@latchkey/source', main]

export const secretPattern = /lk_[a-z]+_[0-9A-Za-z]{38}/g

/** What a process came to. */
export interface Ran {
  readonly code: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
}

/** How a process is run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** In a process of its own: where that is what the test is about. Otherwise commands take turns in one. */
  readonly alone?: boolean
}

/** A folder with its own database and settings, and the command line in it. */
export interface Workplace {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Runs a command to its end. */
  readonly run: (values: readonly string[], options?: RunOptions) => Promise<Ran>
  /** The same of one that must succeed; answers its stdout without the last line break. */
  readonly done: (values: readonly string[], options?: RunOptions) => Promise<string>
  readonly start: (values: readonly string[], options?: RunOptions) => ChildProcess
}

/** Whether it cannot take its turn: a server does not end, and some settings are read by Node itself when it starts. */
function mustBeAlone([word]: readonly string[], env: Readonly<Record<string, string>>): boolean {
  return word === 'serve' || Object.keys(env).some((name) => name.startsWith('NODE_'))
}

/**
 * A folder that goes with the test file, and a command line that knows nothing but it.
 *
 * @param options.alone - whether each command has a process of its own unless told otherwise.
 */
export function workplace(
  more: Readonly<Record<string, string>> = {},
  { alone: allAlone = false }: Pick<RunOptions, 'alone'> = {},
): Workplace {
  const folder = temporaryFolder('cli')
  writeFileSync(join(folder, 'scopes.json'), '{ "orders:read": "Read orders", "orders:write": "Change orders" }')
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    LATCHKEY_SCOPES_FILE: 'scopes.json',
    NODE_COMPILE_CACHE: compileCache,
    ...more,
  }

  const start: Workplace['start'] = (values, { env = {}, input } = {}) => {
    withoutSecrets(values)
    const [program = '', ...before] = command
    const child = spawn(program, [...before, ...values], { cwd: folder, env: { ...environment, ...env } })
    beforeRemoval(folder, () => kill(child))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
    return child
  }
  const run: Workplace['run'] = async (values, options = {}) => {
    const { env = {}, input = '', alone = allAlone } = options
    const ran =
      alone || mustBeAlone(values, { ...more, ...env })
        ? await ended(start(values, options))
        : await hosted({ folder, environment: { ...environment, ...env }, values: withoutSecrets(values), input })
    assert.doesNotMatch(ran.stderr, /^\s+at .*:\d+:\d+\)?$/m, 'no stack trace')
    return { ...ran, stderr: withoutProgress(ran.stderr) }
  }
  return {
    folder,
    environment,
    start,
    run,
    async done(values, options) {
      const ran = await run(values, options)
      assert.equal(ran.code, 0, `${values.join(' ')}: ${ran.stderr}`)
      return ran.stdout.replace(/\n$/, '')
    },
  }
}

/** What a command said but for how far it had come, which it says on a slow machine only. */
export function withoutProgress(said: string): string {
  return said.replaceAll(/^(?:Checking the (?:journal|copy)|Copying|Importing|Purging|Writing) … .*\n/gm, '')
}

/** Arguments as they may be. */
function withoutSecrets(values: readonly string[]): readonly string[] {
  for (const value of values) assert.doesNotMatch(value, secretPattern, 'no test sends a secret as an argument')
  return values
}

/** What a process that was started comes to. */
async function ended(child: ChildProcess): Promise<Ran> {
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code: code ?? signal ?? 0, ...printed }
}

/** A server of its own process on a workplace, with an admin key for it. */
export interface Served {
  readonly url: string
  readonly environment: { readonly LATCHKEY_URL: string; readonly LATCHKEY_ADMIN_KEY: string }
  readonly process: ChildProcess
  /** Everything that it has printed. */
  readonly printed: () => string
}

/** Starts a server on a workplace and issues an admin key beside it. Ended with the test file. */
export async function serve({ start, done }: Workplace): Promise<Served> {
  const child = start(['serve', '--port', '0'])
  let printed = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      printed += chunk.toString()
      const [, address] = /^Serving (\S+),/m.exec(printed) ?? []
      if (address !== undefined) resolve(address)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('close', () => reject(new Error(`it ended before it served: ${printed}`)))
  })
  const key = await done(['keys', 'issue', '--admin', '--name', 'Tests', '--owner', 'tests'])
  return {
    url,
    environment: { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY: key },
    process: child,
    printed: () => printed,
  }
}

/** The documents of JSON lines. */
export function jsonLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}
