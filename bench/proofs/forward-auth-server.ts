import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './child.ts'

const main = new URL('../../packages/latchkey-server/src/main.ts', import.meta.url)

/** The server, in a process of its own. */
export interface AskedServer {
  /** Its own address, and the port of the listener for proxies. */
  readonly url: string
  readonly port: number
  /** Publishes a further key, old enough to sign, and answers with all that may sign. */
  readonly rotate: () => Promise<void>
  /** The keys that sign, as the file has them. */
  readonly signers: () => readonly Signer[]
  readonly stop: () => Promise<string | undefined>
}

/** The two halves of a key that signs identities. */
export interface Signer {
  readonly kid: string
  readonly x: string
  readonly d: string
  createdAt: number
}

interface IdentityFile {
  readonly issuer: string
  readonly keys: readonly Signer[]
}

/** Starts it in a folder with a database. It listens for proxies on every interface. */
export async function startAskedServer(folder: string, policies: object): Promise<AskedServer> {
  const file = join(folder, 'identity.json')
  const read = (): IdentityFile => JSON.parse(readFileSync(file, 'utf8')) as IdentityFile
  const makeKey = async (): Promise<void> => {
    const child = startChild({ file: main, args: ['identity', 'rotate', '--identity-file', file], folder, onLine() {} })
    const { code } = await child.ended
    if (code !== 0) throw new Error(child.complaints())
  }
  await makeKey()
  writeFileSync(join(folder, 'policies.json'), JSON.stringify(policies))
  const started = Promise.withResolvers<void>()
  let [url, port] = ['', 0]
  const child = startChild({
    file: main,
    args: ['serve'],
    folder,
    env: {
      PORT: '0',
      LOG_LEVEL: 'error',
      LATCHKEY_STORE: `sqlite:${join(folder, 'keys.db')}`,
      LATCHKEY_POLICIES: 'policies.json',
      LATCHKEY_IDENTITY_FILE: file,
      LATCHKEY_FORWARD_AUTH: '0.0.0.0:0',
    },
    onLine() {},
    onComplaint(line) {
      port ||= Number(/^Proxies ask at \S+:(\d+)$/.exec(line)?.[1] ?? 0)
      url ||= /^Serving (\S+),/.exec(line)?.[1] ?? ''
      if (url !== '') started.resolve()
    },
  })
  const ended = child.ended.then(({ code, signal }) => {
    const failure = `The server ended with ${signal ?? code}. ${child.complaints()}`
    started.reject(new Error(failure))
    return code === 0 ? undefined : failure
  })
  await started.promise
  return {
    url,
    port,
    signers: () => read().keys,
    async rotate() {
      await makeKey()
      const found = read()
      // It would sign in ten minutes.
      for (const key of found.keys) key.createdAt -= 600_000
      writeFileSync(file, JSON.stringify(found))
    },
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
