import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { noHaproxy } from '../../../../test/machine.ts'
import { proxyConformance } from './proxy-conformance.ts'

const script = 'examples/forward-auth/haproxy/latchkey.lua'

proxyConformance('HAProxy', noHaproxy(), {
  configuration: 'examples/forward-auth/haproxy/haproxy.cfg',
  overPort: true,
  asksAnew: 'its client in Lua keeps no connection',
  replaced: ({ authPort, service, port, folder }) => {
    const lua = readFileSync(join(import.meta.dirname, '../../../..', script), 'utf8')
    writeFileSync(join(folder, 'latchkey.lua'), lua.replace('127.0.0.1:8081', `127.0.0.1:${authPort}`))
    return {
      '/etc/haproxy/latchkey.lua': `${folder}/latchkey.lua`,
      '127.0.0.1:8000': `127.0.0.1:${service}`,
      'bind :80': `bind 127.0.0.1:${port}`,
    }
  },
  start: (configuration) =>
    spawn('haproxy', ['-db', '-q', '-f', configuration], { stdio: ['ignore', 'ignore', 'pipe'] }),
})
