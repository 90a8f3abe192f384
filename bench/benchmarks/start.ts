import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Benchmark } from './figure.ts'
import { interleave, ratioOf, spreadOf } from './measure.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const service = join(import.meta.dirname, '../../examples/process-api/src/main.ts')

/** The folder of the script `start`. */
const compiled = join(import.meta.dirname, '../../node_modules/.cache/compiled')

/** A plain Node server that answers at the same path, to measure the time that the machine needs anyway. */
const bare = `
  require('node:http').createServer((request, response) => response.end()).listen(0, '127.0.0.1', function () {
    console.log('Serving http://127.0.0.1:' + this.address().port)
  })`

const figure = { name: 'start: to the first answer, against bare node:http', goal: { atMost: 5 } }

/** How long a newcomer waits. */
export const start: Benchmark = {
  method:
    'From spawning a process to its first answer over HTTP: `examples/process-api` from its sources, as `npm start` ' +
    'starts it for the second time, so that Node has compiled them once; with a new database and its first key (the ' +
    'answer is the 401 to a call without one), against a bare server of node:http.',

  lines: [figure],

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      progress('measuring')
      const times = await interleave({
        contenders: {
          service: async () => {
            // A folder of its own: no settings of the repository, and a database that is not there yet.
            const cwd = await mkdtemp(join(folder, 'start-'))
            return millisecondsToAnswer({ options: ['--conditions=@latchkey/source', service], cwd, status: 401 })
          },
          bare: () => millisecondsToAnswer({ options: ['-e', bare], cwd: folder, status: 200 }),
        },
        warmUp: 1,
        rounds: 10,
      })
      return [
        {
          ...figure,
          value: ratioOf(times.service, times.bare),
          sides: `bare ${milliseconds(times.bare)}, service ${milliseconds(times.service)}`,
        },
      ]
    }),
}

async function millisecondsToAnswer({
  options,
  cwd,
  status,
}: {
  options: readonly string[]
  cwd: string
  status: number
}): Promise<number> {
  const env = { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'silent', NODE_COMPILE_CACHE: compiled }
  const began = performance.now()
  const child = spawn(process.execPath, options, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  try {
    const answer = await fetch(`${await addressIn(child.stdout)}/process`, { method: 'POST' })
    await answer.arrayBuffer()
    const taken = performance.now() - began
    if (answer.status !== status) throw new Error(`The first answer is ${answer.status}, not ${status}.`)
    return taken
  } finally {
    // As a person ends it: Node writes what it has compiled when a process ends by itself.
    child.kill('SIGTERM')
    await ended
  }
}

/** Both servers say where they are in the first line that they print. */
async function addressIn(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /http:\/\/[\w.:]+/.exec(line)?.[0]
    if (address !== undefined) return address
  }
  throw new Error('A server ended before it said where it is.')
}

function milliseconds(times: readonly number[]): string {
  return `${spreadOf(times).median.toFixed(0)} ms`
}
