import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Block, Told } from './load.ts'
import { inGroupsOf, spreadOf } from './measure.ts'

/** The ready message of a server. */
export interface Ready {
  readonly port: number
  /** The port for requests of a name, where that is another one. */
  readonly ports?: Readonly<Record<string, number>>
  readonly secrets: readonly string[]
}

/** The cost of one block of requests. */
export interface Measured {
  /** Microseconds of CPU time of the server for one request. */
  readonly cpu: number
  readonly perSecond: number
}

/** A server and its callers, each in a process of its own. */
export interface MeasuredServer {
  /** Sends a block of requests, one after the other on each connection. */
  readonly run: (block: Block) => Promise<Measured>
  /** What the server has noted of the requests since it was asked last, one number for each. */
  readonly noted: () => Promise<readonly number[]>
}

/** What is started, and what its callers send. */
export interface ServerOptions<Said extends Ready> {
  /** A file beside this one. */
  readonly server: string
  readonly args: readonly string[]
  /** The requests that callers send, by name, made from what the server says when it is ready. */
  readonly requestsOf: (said: Said) => Readonly<Record<string, readonly string[]>>
  /** The processor of the server and that of its callers, where `taskset` can bind them; any if left out. */
  readonly processors?: { readonly server: number; readonly load: number }
}

/**
 * Starts a server and its callers, and ends both when they are no longer used.
 *
 * @example await withMeasuredServer({ server: 'guard-server.ts', args: [file], requestsOf }, ({ run }) => run(block))
 */
export async function withMeasuredServer<Said extends Ready, Result>(
  { server: file, args, requestsOf, processors }: ServerOptions<Said>,
  use: (server: MeasuredServer) => Promise<Result>,
): Promise<Result> {
  const server = start(file, { args, processor: processors?.server })
  const load = start('load.ts', { args: [], processor: processors?.load })
  try {
    const said = await answerOf<Said>(server)
    await ask(load, { port: said.port, ports: said.ports, requests: requestsOf(said) } satisfies Told)
    return await use({
      async run(block) {
        const before = await ask<number>(server, 'cpu')
        const milliseconds = await ask<number>(load, block)
        const after = await ask<number>(server, 'cpu')
        return { cpu: (after - before) / block.count, perSecond: (block.count / milliseconds) * 1000 }
      },
      noted: () => ask<readonly number[]>(server, 'noted'),
    })
  } finally {
    for (const child of [load, server]) await end(child)
  }
}

function start(
  file: string,
  { args, processor }: { args: readonly string[]; processor: number | undefined },
): ChildProcess {
  const path = join(import.meta.dirname, file)
  if (processor === undefined) return fork(path, [...args])
  // taskset becomes Node, and so keeps the channel to this process.
  const execArgv = ['-c', String(processor), process.execPath, ...process.execArgv]
  return fork(path, [...args], { execPath: 'taskset', execArgv })
}

/** The CPU time of each request, in microseconds, as the means of so many blocks in a row. */
export function cpuInGroups(blocks: readonly Measured[], size: number): readonly number[] {
  return inGroupsOf(
    size,
    blocks.map(({ cpu }) => cpu),
  )
}

/** The medians of blocks, to be read. */
export function costOf(blocks: readonly Measured[]): string {
  const median = (of: keyof Measured): number => spreadOf(blocks.map((block) => block[of])).median
  const perSecond = Math.round(median('perSecond') / 100) * 100
  return `${median('cpu').toFixed(2)} µs, ${perSecond.toLocaleString('en')}/s`
}

/** Sends a message to a process and waits for what it says next. */
async function ask<Answer>(child: ChildProcess, message: object | string): Promise<Answer> {
  const answer = answerOf<Answer>(child)
  child.send(message)
  return answer
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const gone = new AbortController()
  const ended = (code: number | null): void => gone.abort(new Error(`A process of the benchmark ended with ${code}.`))
  child.once('exit', ended)
  try {
    const [answer] = await once(child, 'message', { signal: gone.signal })
    return answer as Answer
  } catch (error) {
    throw gone.signal.aborted ? gone.signal.reason : error
  } finally {
    child.off('exit', ended)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.disconnect()
  await ended
}

/**
 * The serving side of a measured server: says that it is ready, then answers what it is asked, and ends when the measuring
 * process has gone.
 *
 * @param answers.cpu - the CPU time of what serves, in microseconds; of this process, if left out.
 * @param answers.noted - what was noted of requests since it was asked last; nothing, if left out.
 */
export function beMeasured(
  said: Ready,
  { cpu = ownCpu, noted = () => [] }: { readonly cpu?: () => number; readonly noted?: () => readonly number[] } = {},
): void {
  process.send?.(said)
  process.on('message', (asked) => process.send?.(asked === 'noted' ? noted() : cpu()))
  process.on('disconnect', () => process.exit())
}

/** Microseconds, of all threads: garbage collection and compilation in the background count too. */
function ownCpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
