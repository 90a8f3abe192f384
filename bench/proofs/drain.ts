import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Drained } from './drain-servers.ts'
import { drainExample, drainServer } from './drain-servers.ts'
import type { Connection, Exchange } from './http-connection.ts'
import { openConnection } from './http-connection.ts'
import { faults } from './drain-faults.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { inScratchFolder } from './scratch-folder.ts'

/** What is stopped in turn. */
const servers = { example: drainExample, server: drainServer } as const

/** The share of callers that open a connection for every request. */
const shortLived = 0.25

/** Milliseconds that a caller waits between two requests, at most: many send one while the server stops. */
const longestPause = 4

/** Milliseconds of load before the server is stopped. */
const load = { least: 100, most: 400 }

/** What callers saw of one round. */
interface Seen {
  accepted: number
  /** Complete answers that say that the server is closing. */
  turnedAway: number
  /**
   * Requests without a complete answer, on a connection that the server had answered on before, or answered in part.
   */
  dropped: number
  /** Requests on a new connection that ended without a byte: the server may never have taken the connection. */
  unheard: number
  /** Complete answers that are neither yes nor "closing". */
  readonly other: string[]
  /** Ids of keys whose issue was acknowledged. */
  readonly issued: string[]
}

export const proof = defineProof({
  promise:
    'A server that is told to stop answers every request that it has taken, and loses nothing that it acknowledged',
  takes: '4 to 8 minutes',
  sizes: { n: 100, callers: 32 },
  faults,
  faultSizes: { n: 4 },

  async prove({ sizes: { n: rounds, callers }, seed, progress }) {
    const random = seeded(seed)
    const total = { accepted: 0, turnedAway: 0, dropped: 0, unheard: 0, otherAnswers: 0, acknowledgedAndLost: 0 }
    const count = { takenAndUnanswered: 0, usageLost: 0, failedToStop: 0, roundsUnderLoad: 0, slowestStop: 0 }
    const droppedBy: Record<string, number> = Object.fromEntries(Object.keys(servers).map((name) => [name, 0]))
    await inScratchFolder('drain', async (folder) => {
      for (let round = 0; round < rounds; round++) {
        const name = round % 2 === 0 ? 'example' : 'server'
        const place = join(folder, String(round))
        mkdirSync(place)
        const server = await servers[name](place)
        const { seen, failure, milliseconds } = await stopUnderLoad({ server, callers, random })
        const left = await server.left()

        total.accepted += seen.accepted
        total.turnedAway += seen.turnedAway
        total.dropped += seen.dropped
        total.unheard += seen.unheard
        total.otherAnswers += seen.other.length
        total.acknowledgedAndLost += seen.issued.filter((id) => !left.has(id)).length
        droppedBy[name] = (droppedBy[name] ?? 0) + seen.dropped
        // The count of accepted calls and the count of answers should be the same.
        count.takenAndUnanswered += Math.max(0, left.usage - seen.accepted)
        count.usageLost += Math.max(0, seen.accepted - left.usage)
        count.failedToStop += Number(failure !== undefined)
        count.roundsUnderLoad += Number(seen.accepted >= callers)
        count.slowestStop = Math.max(count.slowestStop, Math.round(milliseconds))
        const outcome = `${seen.accepted} accepted, ${seen.turnedAway} turned away, ${seen.dropped} dropped, ${seen.unheard} unheard`
        progress(`round ${round + 1} of ${rounds}, ${name}: ${outcome}, stopped in ${Math.round(milliseconds)} ms`)
        for (const line of [failure, ...seen.other.slice(0, 3)]) if (line !== undefined) progress(line)
      }
    })
    return {
      figures: { ...total, ...count },
      required: {
        dropped: { is: 0 },
        takenAndUnanswered: { is: 0 },
        otherAnswers: { is: 0 },
        acknowledgedAndLost: { is: 0 },
        usageLost: { is: 0 },
        failedToStop: { is: 0 },
        slowestStop: { below: 10_000 },
        // Otherwise it was too easy.
        roundsUnderLoad: { is: rounds },
      },
      details: { droppedBy },
    }
  },
})

async function stopUnderLoad({
  server,
  callers,
  random,
}: {
  server: Drained
  callers: number
  random: Random
}): Promise<{ readonly seen: Seen; readonly failure: string | undefined; readonly milliseconds: number }> {
  const seen: Seen = { accepted: 0, turnedAway: 0, dropped: 0, unheard: 0, other: [], issued: [] }
  const calling = Array.from({ length: callers }, async (_, index) => {
    const choices = seeded(random.below(2 ** 32))
    return index < callers * shortLived ? callAnew(server, choices, seen) : callAgain(server, choices, seen)
  })
  await sleep(load.least + random.below(load.most - load.least))
  const began = performance.now()
  const failure = await server.stop()
  const milliseconds = performance.now() - began
  await Promise.all(calling)
  return { seen, failure, milliseconds }
}

/** Sends requests on one connection, until the server ends it. */
async function callAgain(server: Drained, random: Random, seen: Seen): Promise<void> {
  const connection = await tryToConnect(server.port)
  if (connection === undefined) return
  for (let answered = 0; connection.isOpen(); answered++) {
    note(server, seen, await connection.ask(server.request(random, [])), answered > 0)
    await sleep(random.next() * longestPause)
  }
}

/** Sends every request on a connection of its own, until the server no longer listens. */
async function callAnew(server: Drained, random: Random, seen: Seen): Promise<void> {
  for (;;) {
    const connection = await tryToConnect(server.port)
    if (connection === undefined) return
    note(server, seen, await connection.ask(server.request(random, ['Connection: close'])), false)
    connection.end()
    await sleep(random.next() * longestPause)
  }
}

async function tryToConnect(port: number): Promise<Connection | undefined> {
  try {
    return await openConnection(port)
  } catch {
    return undefined
  }
}

function note(server: Drained, seen: Seen, exchange: Exchange, answeredBefore: boolean): void {
  if (!exchange.intact) {
    if (answeredBefore || exchange.received !== '') seen.dropped++
    else seen.unheard++
    return
  }
  const { answer } = exchange
  if (server.accepted(answer)) {
    seen.accepted++
    if (answer.status === 201) seen.issued.push((JSON.parse(answer.body) as { key: { id: string } }).key.id)
  } else if (answer.status === 503) seen.turnedAway++
  else seen.other.push(`${answer.status} ${answer.body}`)
}
