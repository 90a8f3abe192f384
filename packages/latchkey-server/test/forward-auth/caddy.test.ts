import { spawn } from 'node:child_process'
import { noCaddy } from '../../../../test/machine.ts'
import { proxyConformance } from './proxy-conformance.ts'

proxyConformance('Caddy', noCaddy(), {
  configuration: 'examples/forward-auth/caddy/Caddyfile',
  replaced: ({ socket, service, port }) => ({
    'unix//run/latchkey/forward-auth.sock': `unix/${socket}`,
    '127.0.0.1:8000': `127.0.0.1:${service}`,
    ':80 {': `:${port} {\n\tbind 127.0.0.1`,
  }),
  start: (configuration, folder) =>
    spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, GOMAXPROCS: '1', HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    }),
})
