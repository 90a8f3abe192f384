import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** The proxies that the guide has a configuration for. */
export const proxyNames = ['nginx', 'caddy', 'haproxy'] as const

export type ProxyName = (typeof proxyNames)[number]

/** Where a proxy finds the others, and is found. */
interface Places {
  /** Where it asks, on 127.0.0.1. */
  readonly auth: number
  readonly service: number
  readonly port: number
}

const examples = join(import.meta.dirname, '..', '..', 'examples', 'forward-auth')

/** Starts each proxy with the configuration of the guide, at these places. */
const starts: Readonly<Record<ProxyName, (places: Places, folder: string) => ChildProcess>> = {
  nginx(places, folder) {
    mkdirSync(join(folder, 'temp'))
    const user = process.getuid?.() === 0 ? 'user root;' : ''
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`)
    const site = changed('nginx/service.conf', {
      'unix:/run/latchkey/forward-auth.sock': `127.0.0.1:${places.auth}`,
      '127.0.0.1:8000': `127.0.0.1:${places.service}`,
      'listen 80;': `listen 127.0.0.1:${places.port};`,
    })
    const whole = `daemon off; ${user} pid nginx.pid; error_log /dev/null; worker_processes 1;
      events { worker_connections 1024; } http { access_log off; ${temps.join(' ')} ${site} }`
    writeFileSync(join(folder, 'nginx.conf'), whole)
    return spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: 'ignore' })
  },
  caddy(places, folder) {
    const site = changed('caddy/Caddyfile', {
      'unix//run/latchkey/forward-auth.sock': `127.0.0.1:${places.auth}`,
      '127.0.0.1:8000': `127.0.0.1:${places.service}`,
      ':80 {': `:${places.port} {\n\tbind 127.0.0.1`,
    })
    writeFileSync(join(folder, 'Caddyfile'), site)
    return spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', 'Caddyfile'], {
      cwd: folder,
      stdio: 'ignore',
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    })
  },
  haproxy(places, folder) {
    writeFileSync(
      join(folder, 'latchkey.lua'),
      changed('haproxy/latchkey.lua', { '127.0.0.1:8081': `127.0.0.1:${places.auth}` }),
    )
    const site = changed('haproxy/haproxy.cfg', {
      '/etc/haproxy/latchkey.lua': join(folder, 'latchkey.lua'),
      '127.0.0.1:8000': `127.0.0.1:${places.service}`,
      'bind :80': `bind 127.0.0.1:${places.port}`,
    })
    writeFileSync(join(folder, 'haproxy.cfg'), site)
    return spawn('haproxy', ['-db', '-q', '-f', 'haproxy.cfg'], { cwd: folder, stdio: 'ignore' })
  },
}

/** Whether a proxy is on this machine. */
export function isHere(name: ProxyName): boolean {
  return spawnSync(name, [name === 'caddy' ? 'version' : '-v']).status === 0
}

/** A proxy that runs. */
interface RunningProxy {
  readonly port: number
  readonly stop: () => Promise<void>
}

/** Starts a proxy, and waits until it listens. */
export async function startProxy(name: ProxyName, others: Omit<Places, 'port'>, folder: string): Promise<RunningProxy> {
  const places = { ...others, port: await freePort() }
  const proxy = starts[name](places, folder)
  const kill = (): void => void proxy.kill('SIGKILL')
  process.once('exit', kill)
  const over = once(proxy, 'exit')
  while (!(await isListening(places.port))) {
    if (proxy.exitCode !== null) throw new Error(`${name} does not start.`)
  }
  return {
    port: places.port,
    async stop() {
      process.off('exit', kill)
      kill()
      await over
    },
  }
}

/** A port that the system gives to nobody who asks for any. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.close()
    if (isFree) return port
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const listens = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => setTimeout(resolve, 20, false))
  })
  socket.destroy()
  return listens
}

/** A configuration with texts replaced, each of which must be there. */
function changed(file: string, texts: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(examples, file), 'utf8')
  for (const [from, to] of Object.entries(texts)) {
    if (!text.includes(from)) throw new Error(`${from} stands nowhere in ${file}.`)
    text = text.replaceAll(from, to)
  }
  return text
}
