import type { FastifyServerOptions } from 'fastify'
import { logSerializers } from 'latchkey/guard/fastify'
import type { Settings } from './config.ts'

/** Where the log goes: standard output, or anything like it. */
export interface LogOutput {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/**
 * How the server logs: lines of JSON for programs, and in a terminal a short line for a person.
 *
 * @example await compose(settings, { logger: serverLogger(settings) })
 */
export function serverLogger(
  { logLevel }: Pick<Settings, 'logLevel'>,
  output: LogOutput = process.stdout,
): NonNullable<FastifyServerOptions['logger']> {
  const stream = output.isTTY === true ? { write: (line: string) => output.write(readable(line)) } : output
  return { level: logLevel, serializers: logSerializers, stream: { write: (line: string) => void stream.write(line) } }
}

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Members of every line that a person in a terminal does not need. */
const usual: ReadonlySet<string> = new Set([
  'level',
  'time',
  'pid',
  'hostname',
  'msg',
  'method',
  'route',
  'remoteAddress',
])

/** One line of JSON as a person reads it: `12:04:05 info  answer GET /v1/keys status=200 ms=1.2 reqId=…`. */
function readable(line: string): string {
  const { level, time, msg, method, route, err, ...rest } = JSON.parse(line) as Readonly<Record<string, unknown>>
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const what = [msg, method, route].filter((part) => typeof part === 'string').join(' ')
  const members = Object.entries(rest).filter(([name]) => !usual.has(name))
  const details = members.map(
    ([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const stack = (err as { stack?: string } | undefined)?.stack
  const name = (levels[Number(level)] ?? '').padEnd(5)
  return `${clock} ${name} ${what}${details.join('')}\n${stack === undefined ? '' : `${stack}\n`}`
}
