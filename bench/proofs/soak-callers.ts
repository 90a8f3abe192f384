import { setTimeout as sleep } from 'node:timers/promises'
import { mint } from 'latchkey'
import { requestOf } from '../benchmarks/request.ts'
import type { Connection } from './http-connection.ts'
import { openConnection } from './http-connection.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import type { Ready } from './soak-server.ts'

/** Callers of the guarded route, and callers that change keys. */
const [callers, changers] = [24, 2]

/** The share of callers that open a connection for every request. */
const shortLived = 0.25

/** Of the calls: with one of few hot keys, and with a key that nobody has issued. The others are with any key. */
const [hot, unknown] = [0.7, 0.05]
const hotKeys = 1000

/** Milliseconds that a caller waits between two requests, at most. */
const [longestPause, longestPauseOfChanger] = [40, 100]

/** What came of the traffic. */
export interface Traffic {
  accepted: number
  refused: number
  changes: number
  reads: number
  /** Answers that are not as they should be. */
  readonly wrong: string[]
}

/** Sends traffic of all kinds to a server, until it is told to stop. */
export async function sendTraffic({
  server,
  secrets,
  random,
  stop,
}: {
  readonly server: Ready
  readonly secrets: readonly string[]
  readonly random: Random
  readonly stop: AbortSignal
}): Promise<Traffic> {
  const traffic: Traffic = { accepted: 0, refused: 0, changes: 0, reads: 0, wrong: [] }
  const own = (): Random => seeded(random.below(2 ** 32))
  await Promise.all([
    ...Array.from({ length: callers }, async (_, index) => {
      const choices = own()
      const call = callerOf({ port: server.port, keeps: index >= callers * shortLived, traffic })
      while (!stop.aborted) {
        const kind = choices.next()
        if (kind < unknown) await call(mint({ prefix: 'lk', environment: 'live' }), 401)
        else
          await call(
            secrets[choices.below(kind < unknown + hot ? Math.min(hotKeys, secrets.length) : secrets.length)] ?? '',
            200,
          )
        await sleep(choices.next() * longestPause)
      }
    }),
    ...Array.from({ length: changers }, (_, index) => change({ server, name: index, random: own(), stop, traffic })),
  ])
  return traffic
}

/** A caller of the guarded route, whose answers must have the expected status. */
function callerOf({
  port,
  keeps,
  traffic,
}: {
  readonly port: number
  readonly keeps: boolean
  readonly traffic: Traffic
}): (secret: string, expected: 200 | 401) => Promise<void> {
  let connection: Connection | undefined
  return async (secret, expected) => {
    connection ??= await openConnection(port)
    const exchange = await connection.ask(Buffer.from(requestOf({ target: '/orders', secret })))
    const status = exchange.intact ? exchange.answer.status : 0
    if (status === 200) traffic.accepted++
    if (status === 401) traffic.refused++
    if (status !== expected) traffic.wrong.push(`${status} instead of ${expected}`)
    if (keeps && connection.isOpen()) return
    connection.end()
    connection = undefined
  }
}

/** Lets keys live, one after the other: issued, used, changed in every way, revoked. */
async function change({
  server: { port, admin },
  name,
  random,
  stop,
  traffic,
}: {
  readonly server: Ready
  readonly name: number
  readonly random: Random
  readonly stop: AbortSignal
  readonly traffic: Traffic
}): Promise<void> {
  const connection = await openConnection(port)
  const call = callerOf({ port, keeps: true, traffic })
  const ask = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const exchange = await connection.ask(Buffer.from(adminRequest({ method, path, admin, body })))
    const { status, body: text } = exchange.intact ? exchange.answer : { status: 0, body: '{}' }
    if (status < 200 || status > 299) traffic.wrong.push(`${status} to ${method} ${path}: ${text}`)
    if (method === 'GET') traffic.reads++
    else traffic.changes++
    await sleep(random.next() * longestPauseOfChanger)
    return JSON.parse(text) as Answer
  }
  type Issued = { readonly key: { readonly id: string }; readonly secret: string }

  for (let count = 0; !stop.aborted; count++) {
    const owner = `soak-${name}-${count}`
    const { key, secret } = await ask<Issued>('POST', '/keys', { name: 'Soak', owner, scopes: ['orders:read'] })
    const place = `/keys/${key.id}`
    await call(secret, 200)
    await ask('PATCH', place, { name: 'Renamed' })
    await ask('GET', place)
    const { secret: successor } = await ask<Issued>('POST', `${place}/rotate`, { grace: 3600 })
    await call(secret, 200)
    await call(successor, 200)
    await ask('POST', `${place}/disable`, {})
    await call(successor, 401)
    await ask('POST', `${place}/enable`, {})
    await ask('PATCH', `/owners/${owner}`, { disabled: true })
    await call(secret, 401)
    await ask('PATCH', `/owners/${owner}`, { disabled: false })
    await ask('POST', `${place}/retire`, {})
    await call(secret, 401)
    await call(successor, 200)
    await ask('GET', `/keys?limit=100&owner=${encodeURIComponent(`Owner ${random.below(1000)}`)}`)
    await ask('GET', `/usage?key=${key.id}`)
    await ask('GET', '/journal?limit=100')
    await ask('POST', `${place}/revoke`, { reason: 'requested' })
    await call(successor, 401)
  }
  connection.end()
}

function adminRequest({
  method,
  path,
  admin,
  body,
}: {
  readonly method: string
  readonly path: string
  readonly admin: string
  readonly body: object | undefined
}): string {
  const content = body === undefined ? '' : JSON.stringify(body)
  const fields = body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${content.length}`]
  const line = `${method} /latchkey/v1${path} HTTP/1.1`
  return `${[line, 'Host: 127.0.0.1', `X-API-Key: ${admin}`, ...fields].join('\r\n')}\r\n\r\n${content}`
}
