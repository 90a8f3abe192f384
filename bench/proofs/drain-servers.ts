import { join } from 'node:path'
import type { Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { startChild } from './child.ts'
import type { HttpAnswer } from './http-answers.ts'
import type { Random } from './random.ts'
import { requestOf } from './raw-requests.ts'
import { startService } from './service.ts'

/** A server that is to be stopped under load. */
export interface Drained {
  readonly port: number
  /** The next request of a caller, with the lines given. */
  readonly request: (random: Random, lines: readonly string[]) => Buffer
  /** Whether an answer says that the request was accepted. */
  readonly accepted: (answer: HttpAnswer) => boolean
  /** Stops it, and returns what went wrong, if anything. */
  readonly stop: () => Promise<string | undefined>
  /** The content of its database after it has stopped. */
  readonly left: () => Promise<Left>
}

/** The content of a database after its server has stopped. */
export interface Left {
  /** Calls that were counted as accepted, by the keys that callers used. */
  readonly usage: number
  readonly has: (id: string) => boolean
}

/** Seconds of work for a request to the example, so that most requests are at work when the server is stopped. */
const work = 0.02

const address = /Serving http:\/\/127\.0\.0\.1:(\d+)/

/** The example service, with one key and one route. */
export async function drainExample(folder: string): Promise<Drained> {
  const service = await startService({ folder, work })
  return {
    port: service.port,
    request: (_, lines) => Buffer.from(requestOf({ lines: [`X-API-Key: ${service.secret}`, ...lines] })),
    accepted: ({ status }) => status === 200,
    stop: service.stop,
    left: () => readLeft(service.database),
  }
}

/** `latchkey serve`, whose callers verify the credentials of others and issue keys. */
export async function drainServer(folder: string): Promise<Drained> {
  const file = join(folder, 'keys.db')
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: {} })
  const { secret: application } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  const { secret: admin } = await keyring.issue({
    name: 'Gateway',
    owner: 'operator',
    environment: 'admin',
    scopes: ['keys:verify', 'keys:write'],
    delegation: { owner: null, environments: ['live'], scopes: [] },
  })
  await keyring.close()

  const listening = Promise.withResolvers<number>()
  const child = startChild({
    file: new URL('../../packages/latchkey-server/src/main.ts', import.meta.url),
    args: ['serve'],
    folder,
    env: { PORT: '0', LATCHKEY_STORE: `sqlite:${file}` },
    onLine: () => {},
    onComplaint(line) {
      const port = address.exec(line)?.[1]
      if (port !== undefined) listening.resolve(Number(port))
    },
  })
  const ended = child.ended.then(({ code, signal }) => {
    const failure = `The server ended with ${signal ?? code}. ${child.complaints()}`
    listening.reject(new Error(failure))
    return code === 0 ? undefined : failure
  })
  return {
    port: await listening.promise,
    request(random, lines) {
      const [target, body] = random.chance(0.8)
        ? ['/v1/verify', JSON.stringify({ credential: application })]
        : ['/v1/keys', JSON.stringify({ name: 'Key', owner: 'acme', scopes: [] })]
      return Buffer.from(requestOf({ target, body, lines: [`X-API-Key: ${admin}`, ...lines] }))
    },
    accepted: ({ status, body }) => status === 201 || (status === 200 && body.includes('"valid":true')),
    stop() {
      child.kill('SIGTERM')
      return ended
    },
    left: () => readLeft(file, 'Gateway'),
  }
}

/** @param name - the name of the key that callers used; any key if left out. */
async function readLeft(file: string, name?: string): Promise<Left> {
  const keyring: Keyring = await openKeyring({ store: sqliteStore({ file }), scopes: {} })
  try {
    const keys = await allKeys(keyring)
    const callers = new Set(keys.filter((key) => name === undefined || key.name === name).map(({ id }) => id))
    const { usage: rows } = await keyring.usage({ outcome: 'accepted', limit: 10_000 })
    const usage = rows.filter(({ key }) => callers.has(key)).reduce((sum, { count }) => sum + count, 0)
    const ids = new Set(keys.map(({ id }) => id))
    return { usage, has: (id) => ids.has(id) }
  } finally {
    await keyring.close()
  }
}

async function allKeys(keyring: Keyring): Promise<Awaited<ReturnType<Keyring['list']>>['keys']> {
  const keys = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const found: Awaited<ReturnType<Keyring['list']>> = await keyring.list({ limit: 1000, ...(cursor && { cursor }) })
    keys.push(...found.keys)
    cursor = found.cursor
  }
  return keys
}
