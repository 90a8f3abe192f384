import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Benchmark, Figure } from './figure.ts'
import type { Block } from './guard-load.ts'
import type { Ready } from './guard-server.ts'
import { inGroupsOf, interleave, ratioOf, spreadOf } from './measure.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const keys = 2000
/** In a block: some 20 ms, longer than a lease lasts. */
const requests = 1000
const blocksInGroup = 4
const groups = 100
const paths = ['/open', '/twin', '/keys']

interface Measured {
  /** Microseconds of CPU time of the server for one request. */
  readonly cpu: number
  readonly perSecond: number
}

/** What a guard on a route costs the server. */
export const guard: Benchmark = {
  method:
    'One Fastify application with empty routes, and its callers, each a process of its own, over loopback and 32 ' +
    'connections that stay open. Callers send the same bytes to the open and to the guarded route, key included: on ' +
    `each connection always one key, or with every request another of ${keys.toLocaleString('en')}. The cost is the CPU time of the whole ` +
    `server process, in blocks of ${requests.toLocaleString('en')} requests, ${blocksInGroup} to a round. A second open route against the first shows what is noise.`,

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const server = fork(join(import.meta.dirname, 'guard-server.ts'), [join(folder, 'latchkey.db'), String(keys)])
      const load = fork(join(import.meta.dirname, 'guard-load.ts'))
      try {
        const ready = await answerOf<Ready>(server)
        await ask(load, { ...ready, paths })
        progress('measuring')
        return await measure(server, load)
      } finally {
        for (const child of [load, server]) await end(child)
      }
    }),
}

async function measure(server: ChildProcess, load: ChildProcess): Promise<readonly Figure[]> {
  const block = (path: string, keysSent: Block['keys']) => async (): Promise<Measured> => {
    const before = await ask<number>(server, 'cpu')
    const milliseconds = await ask<number>(load, { path, keys: keysSent, requests } satisfies Block)
    const after = await ask<number>(server, 'cpu')
    return { cpu: (after - before) / requests, perSecond: (requests / milliseconds) * 1000 }
  }
  const measured = await interleave({
    contenders: {
      openKept: block('/open', 'kept'),
      twinKept: block('/twin', 'kept'),
      guardedKept: block('/keys', 'kept'),
      openChanging: block('/open', 'changing'),
      twinChanging: block('/twin', 'changing'),
      guardedChanging: block('/keys', 'changing'),
    },
    warmUp: 40,
    rounds: groups * blocksInGroup,
  })
  return [
    {
      name: 'guard, one key on a connection: CPU',
      ...against('guarded', measured.guardedKept, measured.openKept),
      goal: { atMost: 1.05 },
    },
    { name: '  noise: open against open', ...against('open again', measured.twinKept, measured.openKept) },
    {
      name: 'guard, another key each request: CPU',
      ...against('guarded', measured.guardedChanging, measured.openChanging),
      goal: { atMost: 1.15 },
    },
    { name: '  noise: open against open', ...against('open again', measured.twinChanging, measured.openChanging) },
  ]
}

function against(
  name: string,
  measured: readonly Measured[],
  open: readonly Measured[],
): Pick<Figure, 'ratio' | 'sides'> {
  const cpu = (side: readonly Measured[]) =>
    inGroupsOf(
      blocksInGroup,
      side.map((block) => block.cpu),
    )
  const median = (side: readonly Measured[]) => {
    const perSecond = Math.round(spreadOf(side.map((block) => block.perSecond)).median / 100) * 100
    return `${spreadOf(cpu(side)).median.toFixed(2)} µs, ${perSecond.toLocaleString('en')}/s`
  }
  return { ratio: ratioOf(cpu(measured), cpu(open)), sides: `open ${median(open)}; ${name} ${median(measured)}` }
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
