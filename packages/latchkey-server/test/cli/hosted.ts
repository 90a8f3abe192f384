import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Done, Order } from './hosted-process.ts'

/** Sources are stripped of their types once and not for each of a hundred processes. */
export const compileCache = join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', '.cache', 'latchkey-cli')

/** What waits for the process that runs commands. */
interface Host {
  readonly child: ChildProcess
  readonly waiting: Map<number, { readonly resolve: (done: Done) => void; readonly reject: (error: Error) => void }>
}

let host: Host | undefined
let orders = 0

// With the test file, and not with the test that was the first to need it.
after(() => host?.child.disconnect())

function start(): Host {
  const child = fork(join(import.meta.dirname, 'hosted-process.ts'), [], {
    execArgv: ['--conditions=@latchkey/source'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compileCache },
  })
  const waiting: Host['waiting'] = new Map()
  child.on('message', ([number, done]: [number, Done]) => {
    waiting.get(number)?.resolve(done)
    waiting.delete(number)
  })
  child.once('close', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process of all commands ended: ${code ?? signal}`))
  })
  return { child, waiting }
}

/**
 * Runs a command in the process that this test file has for them, after those that came before.
 *
 * @throws AssertionError for one that has left something behind that would keep its own process from ending.
 */
export async function hosted(order: Order): Promise<Omit<Done, 'kept'>> {
  const { child, waiting } = (host ??= start())
  const number = ++orders
  const { kept, ...ran } = await new Promise<Done>((resolve, reject) => {
    waiting.set(number, { resolve, reject })
    child.send([number, order])
  })
  assert.deepEqual(kept, [], `what ${order.values.join(' ')} leaves does not keep its process from ending`)
  return ran
}
