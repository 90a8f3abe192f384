// A process of its own: starts FastAPI on uvicorn, and answers for it.

import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beMeasured } from '../measured-server.ts'

const [folder = '', secret = '', python = ''] = process.argv.slice(2)
writeFileSync(join(folder, '.env'), `SERVICE_API_KEY=${secret}\n`)
const options = [
  '--app-dir',
  import.meta.dirname,
  '--host',
  '127.0.0.1',
  '--port',
  '0',
  '--timeout-keep-alive',
  '72',
  '--no-access-log',
]
const uvicorn = spawn(python, ['-B', '-m', 'uvicorn', 'service:app', ...options], {
  cwd: folder,
  stdio: ['ignore', 'ignore', 'pipe'],
})
process.once('exit', () => uvicorn.kill('SIGKILL'))
uvicorn.once('exit', () => process.exit(1))

let said = ''
let port: string | undefined
for await (const line of createInterface({ input: uvicorn.stderr })) {
  said += `${line}\n`
  port = /running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
  if (port !== undefined) break
}
if (port === undefined) throw new Error(`uvicorn has not said where it is.\n${said}`)
uvicorn.stderr.resume()
beMeasured({ port: Number(port), secrets: [secret] }, { cpu: cpuOfUvicorn })

/** Microseconds, of all its threads. */
function cpuOfUvicorn(): number {
  const tasks = `/proc/${uvicorn.pid}/task`
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1000
}
