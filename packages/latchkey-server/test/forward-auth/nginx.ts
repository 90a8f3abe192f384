import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProxyStart } from './stand.ts'

/** nginx with the configuration of the guide. */
export const nginx: ProxyStart = {
  configuration: 'examples/forward-auth/nginx/service.conf',
  replaced: ({ socket, service, port }) => ({
    'unix:/run/latchkey/forward-auth.sock': `unix:${socket}`,
    '127.0.0.1:8000': `127.0.0.1:${service}`,
    'listen 80;': `listen 127.0.0.1:${port};`,
  }),
  start(configuration, folder) {
    mkdirSync(join(folder, 'temp'))
    const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp/${name};`)
    // The workers of root are nobody, to whom the folder is closed.
    const user = process.getuid?.() === 0 ? 'user root;' : ''
    const whole = `daemon off; ${user} pid nginx.pid; error_log stderr warn; worker_processes 1;
      events { worker_connections 256; }
      http { access_log off; ${temps.join(' ')}
      ${readFileSync(configuration, 'utf8')} }`
    writeFileSync(join(folder, 'nginx.conf'), whole)
    return spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'pipe'] })
  },
}
