// A server, a service and a real proxy between: what a test of a proxy stands on.

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { systemClock } from 'latchkey'
import type { IssueOptions } from 'latchkey'
import { freePort } from '../../../../test/free-port.ts'
import { beforeRemoval, temporaryFolder } from '../../../../test/temporary-folder.ts'
import type { Composed } from '../../src/compose.ts'
import { compose } from '../../src/compose.ts'
import { makeIdentityKey, readIdentityFile, textOfIdentityKeys } from '../../src/identity/key-file.ts'
import type { Holder } from '../stage.ts'
import { memorySettings } from '../stage.ts'
import type { Settings } from '../../src/config.ts'
import type { Policies } from '../../src/config/policies-file.ts'
import type { EchoService } from './service.ts'
import { echoService } from './service.ts'

const root = join(import.meta.dirname, '../../../..')

/** What a test of a proxy has. */
export interface Stand extends Composed {
  readonly folder: string
  readonly service: EchoService
  /** Where the proxy listens. */
  readonly port: number
  readonly issue: (options?: Partial<IssueOptions<string>>) => Promise<Holder>
}

/** A file with a key that signs identities, and its settings. */
export function identityIn(folder: string): NonNullable<Settings['identity']> {
  const file = join(folder, 'identity.json')
  writeFileSync(file, textOfIdentityKeys({ issuer: 'latchkey', keys: [makeIdentityKey(0)] }), { mode: 0o600 })
  const { found } = readIdentityFile(file)
  assert.ok(found)
  return { file, keys: found }
}

/** How a proxy is started. */
export interface ProxyStart {
  /** Its configuration, by the path in the repository. */
  readonly configuration: string
  /** Whether it asks at a port, and not at a socket. */
  readonly overPort?: boolean
  /** Why it opens a connection for each question, if it does. */
  readonly asksAnew?: string
  /** What it asks by; `process` if left out. */
  readonly policies?: Policies
  /** Texts of the configuration, and what stands in their place; each must be there. */
  readonly replaced: (places: Places) => Readonly<Record<string, string>>
  /** The port of the service, if it is not the one that keeps what it sees. */
  readonly service?: number
  /** Starts the proxy with the configuration at a path. */
  readonly start: (configuration: string, folder: string) => ChildProcess
}

/** The addresses of a stand. */
export interface Places {
  readonly socket: string
  readonly authPort: number
  readonly service: number
  readonly port: number
  readonly folder: string
}

const usual: Policies = { process: { scopes: ['process:run'] } }

/** Opens all of it. It goes when the file of tests is over. */
export async function openStand({
  configuration,
  overPort = false,
  service: ready,
  policies = usual,
  replaced,
  start,
}: ProxyStart): Promise<Stand> {
  const folder = temporaryFolder('forward-auth')
  const service = await echoService()
  beforeRemoval(folder, service.close)
  const [port, authPort] = [await freePort(), await freePort()]
  const socket = join(folder, 'auth.sock')
  const address = overPort ? { host: '127.0.0.1', port: authPort } : { path: socket }
  const composed = await compose(
    memorySettings({
      scopes: { 'process:run': 'Run', 'orders:read': 'Read orders' },
      identity: identityIn(folder),
      policies,
      forwardAuth: address,
    }),
    { clock: systemClock },
  )
  beforeRemoval(folder, composed.close)
  await composed.forProxies?.listen(address)
  const text = Object.entries(replaced({ socket, authPort, service: ready ?? service.port, port, folder })).reduce(
    (before, [from, to]) => {
      assert.ok(before.includes(from), `${from} stands in ${configuration}`)
      return before.replaceAll(from, to)
    },
    readFileSync(join(root, configuration), 'utf8'),
  )
  const file = join(folder, 'proxy.conf')
  writeFileSync(file, text)
  const proxy = start(file, folder)
  let said = ''
  proxy.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  beforeRemoval(folder, async () => {
    const over = once(proxy, 'exit')
    if (proxy.exitCode === null && proxy.kill('SIGTERM')) await over
  })
  await listening(port, () => assert.equal(proxy.exitCode, null, said))
  return {
    ...composed,
    folder,
    service,
    port,
    async issue(options = {}) {
      const { key, secret } = await composed.keyring.issue({
        name: 'Shop',
        owner: 'acme',
        scopes: ['process:run'],
        ...options,
      })
      return { key, secret }
    },
  }
}

/** Waits until somebody listens on a port. */
export async function listening(port: number, check: () => void): Promise<void> {
  for (;;) {
    check()
    const socket = connect(port, '127.0.0.1')
    const there = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (there) return
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}
