import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { kill } from '../../../test/kill.ts'
import { terminalCommand } from '../../../test/machine.ts'
import { beforeRemoval, temporaryFolder } from '../../../test/temporary-folder.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Where `npm test` keeps compiled sources, so that each start does not compile them again. */
const compileCache =
  process.env['NODE_COMPILE_CACHE'] === undefined ? {} : { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }

/** The service as a process of its own. */
export interface RunningService {
  readonly process: ChildProcess
  /** Where it serves, once it has said so; rejects when it ends before. */
  readonly url: Promise<string>
  /** Everything it has printed. */
  readonly printed: () => string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** A folder for one test, removed after it. */
export function folderFor(context: TestContext): string {
  return temporaryFolder('process-api', { context })
}

/** Starts the service in a folder, as `npm start` does, on a free port by default; ended with the test. */
export function startService(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  { inTerminal = false }: { readonly inTerminal?: boolean } = {},
): RunningService {
  const environment = {
    PATH: process.env['PATH'],
    HOME: folder,
    PORT: '0',
    PROCESSING_SECONDS: '0',
    ...compileCache,
    ...settings,
  }
  const command = [process.execPath, '--conditions=@latchkey/source', main]
  const [program = '', ...values] = inTerminal ? (terminalCommand(command.join(' ')) ?? []) : command
  const child = spawn(program, values, { cwd: folder, env: environment })
  beforeRemoval(folder, () => kill(child))
  let printed = ''
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals)[]) => code ?? signal ?? 0)
  const url = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      // A terminal ends lines with two characters.
      printed += chunk.toString().replaceAll('\r\n', '\n')
      // Up to the last line of the welcome. Lines of the log may come before, after and in between.
      const [, address] = /^Serving (\S+),[^]*^(?:curl .*|.* to start anew\.)\n/m.exec(printed) ?? []
      if (address !== undefined) resolve(address)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(() => reject(new Error(`ended before it served: ${printed}`)))
  })
  // Tests of a start that fails do not ask for the address.
  url.catch(() => undefined)
  return { process: child, url, printed: () => printed, ended }
}
