import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { skipUnless } from './skip-unless.ts'

/** A Redis of a test's own, which it may stop, freeze and kill. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly signal: (signal: NodeJS.Signals) => void
  /** Kills it, and resolves when it is gone. */
  readonly kill: () => Promise<void>
}

/** For the option `skip` of a test. */
export const noRedisServer: string | false = skipUnless(
  spawnSync('redis-server', ['--version']).status === 0,
  'no redis-server on this machine',
)

/**
 * Starts a Redis that keeps nothing on the disk, and resolves when it takes connections. It never outlives this process.
 *
 * @param more - further arguments.
 */
export async function startRedis({
  port,
  more = [],
}: { readonly port?: number; readonly more?: readonly string[] } = {}): Promise<RedisServer> {
  const own = port ?? (await freePort())
  const kept = ['--bind', '127.0.0.1', '--port', String(own), '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', [...kept, ...more], { stdio: 'ignore', cwd: '/tmp' })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const gone = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  await listening(own, child)
  return {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL')
      await gone
      process.off('exit', killWithUs)
    },
  }
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server has ended with ${child.exitCode}.`)
    await sleep(20)
  }
}

async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (is: boolean): void => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => done(true)).once('error', () => done(false))
  })
}
