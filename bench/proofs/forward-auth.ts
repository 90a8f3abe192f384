import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { identityVerifier } from 'latchkey/identity'
import { sqliteStore } from 'latchkey/store/sqlite'
import { faults } from './forward-auth-faults.ts'
import type { Front, Presence } from './forward-auth-front.ts'
import { openFront } from './forward-auth-front.ts'
import type { ProxyName } from './forward-auth-proxies.ts'
import { isHere, proxyNames, startProxy } from './forward-auth-proxies.ts'
import type { AskedServer } from './forward-auth-server.ts'
import { startAskedServer } from './forward-auth-server.ts'
import type { ProvedService } from './forward-auth-service.ts'
import { expectedHeader, forged, openService } from './forward-auth-service.ts'
import { wrongIdentities } from './forward-auth-tokens.ts'
import { openConnection } from './http-connection.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { inScratchFolder } from './scratch-folder.ts'

const scopes = { 'process:run': 'Run', 'orders:read': 'Read orders' }
const policies = { process: { scopes: ['process:run'] }, other: { scopes: ['orders:read'] } }

/** All that a caller may be answered. */
const contract: ReadonlySet<number> = new Set([200, 400, 401, 403, 429, 503])

/** A caller, and what its calls of guarded paths are answered. */
interface Caller {
  readonly id: string
  readonly lines: readonly string[]
  readonly status: number
}

/** Connections on which calls are made at the same time. */
const connections = 16

const names = ['Identity', 'Owner', 'Key-Id', 'Proxy'] as const
/** Mostly as Latchkey spells them. */
const separators = ['-', '-', '-', '_', '.'] as const
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND'] as const
const guarded = [
  '/orders',
  '/orders?policy=other&health',
  '/nginx',
  '/v1/forward-auth/other',
  '/a/%2e%2e/b',
  '/healthy',
] as const
const told = [
  'X-Forwarded-Uri: /health',
  'X-Forwarded-Method: OPTIONS',
  'X-Forwarded-For: 127.0.0.1',
  'X-Original-URL: /health',
  'X-HTTP-Method-Override: OPTIONS',
  'Forwarded: for=127.0.0.1',
] as const

/** What is counted. */
interface Count {
  calls: number
  refused: number
  otherStatuses: number
  outsideContract: number
  noAnswer: number
  withoutKey: number
  undisturbed: number
  disturbed: number
}

export const proof = defineProof({
  promise:
    'Behind a proxy a service is called with a key only, learns who calls from Latchkey alone, and never sees a key',
  takes: 'about three minutes',
  sizes: { n: 30_000 },
  choices: { proxy: ['all', ...proxyNames] },
  faults,
  faultSizes: { n: 1200 },

  async prove({ sizes: { n }, seed, chosen, progress }) {
    const wanted = proxyNames.filter((name) => chosen['proxy'] === 'all' || chosen['proxy'] === name)
    const proxies = wanted.filter(isHere)
    if (proxies.length === 0) throw new Error(`There is no ${wanted.join(', ')} on this machine.`)
    const random = seeded(seed)
    const count: Count = {
      calls: 0,
      refused: 0,
      otherStatuses: 0,
      outsideContract: 0,
      noAnswer: 0,
      withoutKey: 0,
      undisturbed: 0,
      disturbed: 0,
    }
    return inScratchFolder('forward-auth', async (folder) => {
      const store = sqliteStore({ file: join(folder, 'keys.db') })
      const keyring = await openKeyring({ store, scopes })
      const server = await startAskedServer(folder, policies)
      let keysReadAt = 0
      const verifier = identityVerifier({
        audience: 'process',
        keys: `${server.url}/.well-known/jwks.json`,
        scopes,
        fetch: async (...call) => {
          keysReadAt = performance.now()
          return fetch(...call)
        },
      })
      const secrets = new Set<string>()
      const service = await openService(verifier, (text) => secrets.has(text))
      const front = await openFront(server.port)
      const stand: Stand = {
        keyring,
        server,
        service,
        front,
        secrets,
        random,
        count,
        progress,
        keysReadAt: () => keysReadAt,
      }
      try {
        for (const name of proxies) await throughProxy(name, stand, { folder, calls: Math.ceil(n / proxies.length) })
        const { decidedByPath, strangersAsked, strangersAnswered } = await askDirectly(stand)
        const wrong = server.signers().flatMap((signer) => wrongIdentities(signer, Date.now()))
        const verdicts = await Promise.all(wrong.map(async (token) => verifier.verify(token)))
        return {
          figures: {
            proxies: proxies.length,
            ...count,
            ...service.faults,
            seenByService: service.calls(),
            decidedByPath,
            strangersAsked,
            strangersAnswered,
            forgedIdentities: wrong.length,
            forgedAccepted: verdicts.filter(({ ok }) => ok).length,
          },
          required: {
            proxies: { is: wanted.length },
            otherStatuses: { is: 0 },
            outsideContract: { is: 0 },
            noAnswer: { is: 0 },
            withoutKey: { is: 0 },
            undisturbed: { is: 0 },
            forgedSeen: { is: 0 },
            keysSeen: { is: 0 },
            unidentified: { is: 0 },
            identifiedOpen: { is: 0 },
            decidedByPath: { is: 0 },
            strangersAnswered: { is: 0 },
            forgedAccepted: { is: 0 },
            calls: { atLeast: n },
            disturbed: { atLeast: proxies.length * 3 },
          },
        }
      } finally {
        front.close()
        service.close()
        await server.stop()
        await keyring.close()
      }
    })
  },
})

interface Stand {
  readonly keyring: Keyring
  readonly server: AskedServer
  readonly service: ProvedService
  readonly front: Front
  readonly secrets: Set<string>
  readonly random: Random
  readonly count: Count
  readonly progress: (line: string) => void
  /** When the service has read the keys last. */
  readonly keysReadAt: () => number
}

/** Sends the calls through one proxy; a key is revoked and the keys that sign are changed on the way. */
async function throughProxy(
  name: ProxyName,
  stand: Stand,
  { folder, calls }: { readonly folder: string; readonly calls: number },
): Promise<void> {
  const { front, service, server, keyring, random, count, progress, keysReadAt } = stand
  const own = join(folder, name)
  mkdirSync(own)
  const { port, stop } = await startProxy(name, { auth: front.port, service: service.port }, own)
  try {
    const callers = await callersOf(stand, port)
    const ending = callers[0] as Caller
    for (const part of [1, 2]) {
      await mixed({ port, callers, calls: Math.ceil(calls / 2) }, stand)
      if (part === 2) break
      for (const presence of ['gone', 'frozen', 'resetting'] as const) await disturb({ port, presence }, stand)
      // The key signs at once here, and not ten minutes later. A service asks for unknown keys every five seconds.
      await sleep(Math.max(0, keysReadAt() + 5100 - performance.now()))
      await server.rotate()
      await keyring.revoke(ending.id, { reason: 'unused' })
      callers[0] = { ...ending, status: 401 }
    }
    for (let time = 0; time < 20; time++) await halfSent(port, random.pick(['', ...callers[0]!.lines]), count)
  } finally {
    await stop()
  }
  progress(`${name}: ${count.calls} calls, ${service.calls()} came to the service`)
}

/** Callers of every kind, whose keys are issued for one proxy. */
async function callersOf({ keyring, secrets }: Stand, port: number): Promise<Caller[]> {
  const issue = async (options: object): Promise<{ id: string; secret: string }> => {
    const { key, secret } = await keyring.issue({ name: 'Key', owner: 'acme', scopes: ['process:run'], ...options })
    secrets.add(secret)
    return { id: key.id, secret }
  }
  const caller = ({ id, secret }: { id: string; secret: string }, status: number): Caller => {
    return { id, lines: [`X-API-Key: ${secret}`], status }
  }
  const [first, second, other, foreign, limited] = await Promise.all([
    issue({}),
    issue({ owner: 'Ümit & Söhne' }),
    issue({ scopes: ['orders:read'] }),
    issue({ environment: 'test' }),
    issue({ limits: [{ name: 'few', limit: 1, window: 86_400 }] }),
  ])
  // Its one call.
  await statusOf(port, [`X-API-Key: ${limited.secret}`, `${expectedHeader}: ${limited.id}`])
  const two = [`X-API-Key: ${first.secret}`, `X-API-Key: ${second.secret}`]
  return [
    caller(first, 200),
    caller(second, 200),
    caller(other, 403),
    caller(foreign, 403),
    caller(limited, 429),
    { id: 'nobody', lines: [], status: 401 },
    { id: 'nobody', lines: [`X-API-Key: ${forged}`], status: 401 },
    { id: 'nobody', lines: two, status: 400 },
  ]
}

async function statusOf(port: number, lines: readonly string[]): Promise<number> {
  const connection = await openConnection(port)
  const exchange = await connection.ask(requestTo('GET', '/orders', lines))
  connection.end()
  return exchange.intact ? exchange.answer.status : 0
}

function requestTo(method: string, path: string, lines: readonly string[]): Buffer {
  const body = method === 'GET' ? '' : '{}'
  const all = ['Host: service.example', ...lines, ...(body === '' ? [] : [`Content-Length: ${body.length}`])]
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`, 'latin1')
}

/** Calls of all kinds on several connections. */
async function mixed(
  { port, callers, calls }: { readonly port: number; readonly callers: readonly Caller[]; readonly calls: number },
  { random, count, service }: Stand,
): Promise<void> {
  let left = calls
  const call = async (): Promise<void> => {
    let connection = await openConnection(port)
    while (left-- > 0) {
      const caller = random.pick(callers)
      const isOpen = random.chance(0.2)
      const path = isOpen ? '/health' : random.pick(guarded)
      const lines = [...caller.lines, `${expectedHeader}: ${caller.id}`, ...forgedLines(random)]
      if (!connection.isOpen()) connection = await openConnection(port)
      const exchange = await connection.ask(requestTo(random.pick(methods), path, lines))
      count.calls++
      if (!exchange.intact) {
        count.noAnswer++
        continue
      }
      const { status } = exchange.answer
      const wanted = isOpen ? 200 : caller.status
      if (status !== wanted) count.otherStatuses++
      if (!contract.has(status)) count.outsideContract++
      if (wanted !== 200) count.refused++
    }
    connection.end()
  }
  const [before, refusedBefore] = [service.calls(), count.refused]
  const wasCalls = count.calls
  await Promise.all(Array.from({ length: connections }, call))
  // Each accepted call comes to the service once, and no other.
  const accepted = count.calls - wasCalls - (count.refused - refusedBefore)
  count.withoutKey += Math.max(0, service.calls() - before - accepted)
}

/** Lines that a caller should better not write, in any order and spelling. */
function forgedLines(random: Random): readonly string[] {
  const lines: string[] = []
  while (random.chance(0.7)) {
    if (random.chance(0.3)) lines.push(random.pick(told))
    else {
      const [first, second] = [random.pick(separators), random.pick(separators)]
      const name = `X${first}Latchkey${second}${random.pick(names)}`
      const spelt = random.pick([name, name.toLowerCase(), name.toUpperCase()])
      // An admin key of a proxy is one that the proxy itself sends.
      lines.push(`${spelt}: ${forged}${random.text(random.below(20), 'abc.')}`)
    }
  }
  if (random.chance(0.1)) lines.push('Connection: keep-alive, X-Latchkey-Identity, X-Latchkey-Owner')
  return lines
}

/** Calls while the server for proxies fails: 503, and nobody comes to the service. */
async function disturb(
  { port, presence }: { readonly port: number; readonly presence: Presence },
  { front, count, service, keyring, secrets }: Stand,
): Promise<void> {
  const { key, secret } = await keyring.issue({ name: 'Key', owner: 'acme', scopes: ['process:run'] })
  secrets.add(secret)
  const lines = [`X-API-Key: ${secret}`, `${expectedHeader}: ${key.id}`]
  const before = service.calls()
  front.become(presence)
  const statuses = await Promise.all(Array.from({ length: 4 }, () => statusOf(port, lines)))
  count.undisturbed += service.calls() - before
  count.disturbed++
  for (const status of statuses) if (status !== 503) count.otherStatuses++
  front.become('there')
  // A proxy may find out with the next call that a connection which it has kept is gone.
  for (let tries = 0; (await statusOf(port, lines)) !== 200; tries++) {
    if (tries === 50) throw new Error(`The proxy does not recover from a server that was ${presence}.`)
  }
}

/** A caller who announces a body and does not send it gets its refusal all the same. */
async function halfSent(port: number, line: string, count: Count): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const lines = ['Host: service.example', 'Content-Length: 1000000', ...(line === '' ? [] : [line])]
  socket.write(`POST /orders HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const patience = setTimeout(() => socket.destroy(), 10_000)
  const [first] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean]
  clearTimeout(patience)
  socket.destroy()
  count.calls++
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first.toString('latin1' as never))?.[1] ?? 0)
  if (status !== 401) count.otherStatuses++
}

/** Asks the listener itself: as a proxy that appends its caller's path, and as a stranger from another address. */
async function askDirectly({
  server,
  keyring,
}: Stand): Promise<Readonly<Record<'decidedByPath' | 'strangersAsked' | 'strangersAnswered', number>>> {
  const { secret } = await keyring.issue({ name: 'Key', owner: 'acme', scopes: ['orders:read'] })
  const headers = { 'X-API-Key': secret }
  const ask = async (host: string, path: string, method = 'GET'): Promise<Response> =>
    fetch(`http://${host}:${server.port}/v1/forward-auth/${path}`, { method, headers })
  let decidedByPath = 0
  for (const path of [
    'process/v1/forward-auth/other',
    'process/other',
    'process?policy=other',
    'process/nginx/other',
  ]) {
    for (const method of ['GET', 'OPTIONS', 'HEAD', 'DELETE']) {
      if ((await ask('127.0.0.1', path, method)).ok) decidedByPath++
    }
  }
  if (!(await ask('127.0.0.1', 'other')).ok) throw new Error('The key does not fit its own policy.')
  const outside = Object.values(networkInterfaces()).flat()
  const addresses = outside.flatMap((one) => (one?.family === 'IPv4' && !one.internal ? [one.address] : []))
  let strangersAnswered = 0
  for (const address of addresses) {
    const answer = await ask(address, 'other')
    if (answer.ok || answer.headers.has('x-latchkey-identity')) strangersAnswered++
  }
  return { decidedByPath, strangersAsked: addresses.length, strangersAnswered }
}
