// A process in which commands are run one after the other, each as in a process of its own as far as it can see: its
// arguments, environment, folder, standard streams and exit code. Loading the program is most of what a command costs,
// and is done once here. One that ends its process ends this one, and the tests are told so.

import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { run } from '../../src/cli/run.ts'

/** A command to run. */
export interface Order {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly values: readonly string[]
  readonly input: string
}

/** What it came to; `kept` is what would keep its process from ending. */
export interface Done {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly kept: readonly string[]
}

const streams = ['stdin', 'stdout', 'stderr'] as const
let idleAtFirst: number | undefined

async function perform({ folder, environment, values, input }: Order): Promise<Done> {
  // The channel to the tests, and whatever else is there before the first.
  const idle = (idleAtFirst ??= process.getActiveResourcesInfo().length)
  process.chdir(folder)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, environment)
  const [stdin, stdout, stderr] = [
    Readable.from(input === '' ? [] : [Buffer.from(input)]),
    new PassThrough(),
    new PassThrough(),
  ]
  const before = streams.map((name) => [name, Object.getOwnPropertyDescriptor(process, name)!] as const)
  for (const [name, value] of Object.entries({ stdin, stdout, stderr }))
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true })
  const printed = Promise.all([text(stdout), text(stderr)])
  process.exitCode = undefined

  await run(values)
  const kept = await leftOf(idle)
  const code = exitCode()

  process.removeAllListeners('uncaughtException')
  process.exitCode = undefined
  for (const [name, descriptor] of before) Object.defineProperty(process, name, descriptor)
  stdout.end()
  stderr.end()
  const [out, said] = await printed
  return { code, stdout: out, stderr: said, kept }
}

function exitCode(): number {
  return Number(process.exitCode ?? 0)
}

/** Waits until nothing is left that would keep a process from ending; answers what is left in spite of that. */
async function leftOf(idle: number): Promise<readonly string[]> {
  const until = performance.now() + 60_000
  for (;;) {
    const left = process.getActiveResourcesInfo()
    if (left.length <= idle) return []
    if (performance.now() > until) return left.slice(idle)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

let last: Promise<unknown> = Promise.resolve()
process.on('message', ([number, order]: [number, Order]) => {
  last = last.then(async () => process.send?.([number, await perform(order)]))
})
process.on('disconnect', () => process.exit())
