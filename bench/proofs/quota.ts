import { join } from 'node:path'
import type { Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Child } from './child.ts'
import { startChild } from './child.ts'
import type { Connection } from './http-connection.ts'
import { openConnection } from './http-connection.ts'
import { faults } from './quota-faults.ts'
import { defineProof } from './proof.ts'
import { scopes } from './quota-server.ts'
import { inScratchFolder } from './scratch-folder.ts'

/** An application in a process of its own. */
interface Server {
  readonly child: Child
  readonly port: number
  readonly connections: readonly Connection[]
}

/** The outcome of the tries of one round. */
interface Round {
  readonly accepted: number
  /** The work of the handlers. */
  readonly effects: number
  readonly exhausted: number
  /** Repeated tries: there was no yes or no in time, and nothing was spent. */
  readonly undecided: number
  /** Answers that are neither, and tries without a whole answer. */
  readonly other: readonly string[]
  readonly left: number | undefined
  /** How many processes accepted something. */
  readonly sharers: number
}

export const proof = defineProof({
  promise: 'A quota of N is spent exactly N times, by however many callers and processes at once',
  takes: '3 to 5 minutes',
  sizes: { n: 200, quota: 1000, tries: 4000, connections: 64 },
  faults,
  faultSizes: { n: 4, quota: 200, tries: 800 },

  async prove({ sizes: { n: rounds, quota, tries, connections }, progress }) {
    return inScratchFolder('quota', async (folder) => {
      const file = join(folder, 'keys.db')
      const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
      const servers = [
        await startServer({ folder, file, connections }),
        await startServer({ folder, file, connections }),
      ]
      const found: Round[] = []
      try {
        for (let round = 0; round < rounds; round++) {
          // Every other round has both processes, with half of the connections each.
          const asked = servers.slice(0, 1 + (round % 2))
          const result = await playRound({ keyring, asked, quota, tries, connections })
          found.push(result)
          const { accepted, effects, exhausted, other, left } = result
          const outcome = `${accepted} accepted, ${effects} effects, ${exhausted} refused, ${left} left`
          progress(`round ${round + 1} of ${rounds}, ${asked.length} of 2 processes: ${outcome}`)
          for (const line of other.slice(0, 3)) progress(`round ${round + 1}: ${line}`)
        }
      } finally {
        await Promise.all(servers.map(stop))
        await keyring.close()
      }

      const sum = (count: (round: Round) => number): number => found.reduce((total, round) => total + count(round), 0)
      const within = Math.min(quota, tries)
      return {
        figures: {
          roundsNotExact: sum(({ accepted, effects }) => Number(accepted !== within || effects !== within)),
          accepted: sum(({ accepted }) => accepted),
          effects: sum(({ effects }) => effects),
          refusedAsExhausted: sum(({ exhausted }) => exhausted),
          triedAnew: sum(({ undecided }) => undecided),
          otherAnswers: sum(({ other }) => other.length),
          leftWrong: sum(({ left }) => Number(left !== quota - within)),
          roundsSharedByProcesses: sum(({ sharers }) => Number(sharers > 1)),
        },
        required: {
          roundsNotExact: { is: 0 },
          accepted: { is: rounds * within },
          effects: { is: rounds * within },
          refusedAsExhausted: { is: rounds * (tries - within) },
          otherAnswers: { is: 0 },
          leftWrong: { is: 0 },
          // Otherwise one process had spent all before the other began.
          roundsSharedByProcesses: { atLeast: Math.floor(rounds / 4) },
        },
      }
    })
  },
})

async function startServer({
  folder,
  file,
  connections,
}: {
  folder: string
  file: string
  connections: number
}): Promise<Server> {
  const listening = Promise.withResolvers<number>()
  const child = startChild({
    file: new URL('quota-server.ts', import.meta.url),
    args: [file],
    folder,
    onLine: (line) => listening.resolve(Number(new URL(line).port)),
  })
  const ended = child.ended.then(() => Promise.reject(new Error(`A server ended. ${child.complaints()}`)))
  const port = await Promise.race([listening.promise, ended])
  return {
    child,
    port,
    connections: await Promise.all(Array.from({ length: connections }, () => openConnection(port))),
  }
}

async function stop({ child, connections }: Server): Promise<void> {
  for (const connection of connections) connection.end()
  child.kill('SIGTERM')
  await child.ended
}

async function playRound({
  keyring,
  asked,
  quota,
  tries,
  connections,
}: {
  keyring: Keyring<keyof typeof scopes>
  asked: readonly Server[]
  quota: number
  tries: number
  connections: number
}): Promise<Round> {
  const issued = await keyring.issue({ name: 'Key', owner: 'acme', scopes: ['orders:read'], quota: { amount: quota } })
  const { id } = issued.key
  // The quota is the key's: both secrets of a key that is being rotated spend from the same.
  const rotated = await keyring.rotate(id, { grace: 3600 })
  const requests = [issued.secret, rotated.secret].map((secret) => get('/orders', [`X-API-Key: ${secret}`]))

  let left = tries
  let [accepted, exhausted, undecided] = [0, 0, 0]
  const other: string[] = []
  const callers = Array.from({ length: connections }, async (_, index) => {
    const connection = asked[index % asked.length]?.connections[index]
    // Not every other one: with two processes each would hear of one secret only.
    const request = requests[Math.floor(index / asked.length) % requests.length]
    if (connection === undefined || request === undefined) throw new Error('There are too few connections.')
    while (left > 0) {
      left--
      const exchange = await connection.ask(request)
      const answer = exchange.intact ? exchange.answer : undefined
      if (answer?.status === 200) accepted++
      else if (answer?.status === 429 && answer.body.includes('"quota_exhausted"')) exhausted++
      else if (answer?.status === 503 && answer.body.includes('"unavailable"') && undecided < tries) {
        // On a busy machine: the other process had the lock for longer than a call may wait.
        undecided++
        left++
      } else other.push(answer === undefined ? 'no whole answer' : `${answer.status} ${answer.body}`)
    }
  })
  await Promise.all(callers)

  const effects = await Promise.all(asked.map((server) => effectsOf(server, id)))
  const kept = await keyring.find(id)
  return {
    accepted,
    exhausted,
    undecided,
    other,
    effects: effects.reduce((total, some) => total + some, 0),
    left: kept?.quotaLeft?.remaining,
    sharers: effects.filter((some) => some > 0).length,
  }
}

async function effectsOf({ child, connections: [connection] }: Server, id: string): Promise<number> {
  const exchange = await connection?.ask(get(`/effects/${id}`, []))
  if (exchange?.intact !== true) throw new Error(`A server did not say what it had done. ${child.complaints()}`)
  return (JSON.parse(exchange.answer.body) as { effects: number }).effects
}

function get(target: string, lines: readonly string[]): Buffer {
  return Buffer.from(`${[`GET ${target} HTTP/1.1`, 'Host: 127.0.0.1', ...lines].join('\r\n')}\r\n\r\n`)
}
