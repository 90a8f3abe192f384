import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { HttpAnswer } from './http-answers.ts'
import { readAnswers } from './http-answers.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { drain, requestOf, rightRequests } from './raw-requests.ts'
import type { Service } from './service.ts'
import { oddForms, soundForms } from './wrong-requests.ts'

/** The outcome of wrong requests on raw connections, and of right ones in between. */
export interface SocketFindings {
  presented: number
  /** Answers of the handler to wrong requests. */
  accepted: number
  serverErrors: number
  /** Connections on which something else than HTTP was answered. */
  unreadable: number
  /** Connections that the server ended without an answer, as it may, or that it never ended. */
  silent: number
  hung: number
  controls: number
  controlsAccepted: number
  /** Right requests behind one that was answered before the rest of it had come: that answer is the last (RFC 9112 9.6). */
  notOwed: number
  /** Answers by status and code. */
  readonly answers: Record<string, number>
}

/** Connections at a time. */
const connections = 48

/**
 * Milliseconds without a byte after which this side says that it has nothing more to send, and after which it gives up.
 * Never before the answer to a right request: a server need not answer a client that has stopped sending.
 */
const patience = { silent: 300, hung: 20_000 }

/** The requests on one connection: perhaps a right one, a wrong one, perhaps another right one, and the drain. */
interface Conversation {
  readonly form: string
  readonly before: string
  /** Whether to wait for its answer. After a request that it cannot read, a server drops earlier ones. */
  readonly patient: boolean
  readonly wrong: string
  readonly after: string
  /** Whether every request on it is intact, so that the server ends the connection once it has answered the drain. */
  readonly intact: boolean
}

/** Sends `n` wrong requests over raw connections, and now and then a right one on the same or on another connection. */
export async function fuzzSockets({
  n,
  seed,
  service,
  progress,
}: {
  n: number
  seed: number
  service: Service
  progress: (line: string) => void
}): Promise<SocketFindings> {
  const found: SocketFindings = {
    presented: 0,
    accepted: 0,
    serverErrors: 0,
    unreadable: 0,
    silent: 0,
    hung: 0,
    controls: 0,
    controlsAccepted: 0,
    notOwed: 0,
    answers: {},
  }
  const talk = async (): Promise<void> => {
    while (found.presented < n && service.running()) {
      // Each has choices of its own, so that the order in which connections end decides nothing.
      const random = seeded((seed + found.presented) % 2 ** 32)
      found.presented++
      if (found.presented % 5000 === 0) progress(`${found.presented} of ${n} requests over raw connections`)
      const conversation = compose(random, service.secret)
      const { before, patient, wrong, after, intact } = conversation
      const rest = wrong + after + drain
      const parts = (patient ? [before, rest] : [before + rest]).map((part) => cut(random, part))
      const { received, hung } = await exchange({ port: service.port, parts, intact })
      if (hung) found.hung++
      judge({ conversation, inPieces: parts.some(({ length }) => length > 1), received, found, progress })
    }
  }
  await Promise.all(Array.from({ length: connections }, talk))
  return found
}

/** Whether a right request is accepted now. */
export async function isServed(service: Service): Promise<boolean> {
  const request = requestOf({ lines: [`X-API-Key: ${service.secret}`, 'Connection: close'] })
  const { received } = await exchange({ port: service.port, parts: [[request]], intact: true })
  const [answer] = readAnswers(received, { head: false })
  return answer !== undefined && isAccepted(answer)
}

function compose(random: Random, secret: string): Conversation {
  const right = (): string => random.pick(Object.values(rightRequests))(random, secret)
  const sound = random.chance(0.4)
  const forms = sound ? soundForms : oddForms
  const form = random.pick(Object.keys(forms))
  const before = random.chance(0.2) ? right() : ''
  return {
    form,
    before,
    patient: before !== '' && (!sound || random.chance(0.5)),
    wrong: forms[form]?.({ random, secret }) ?? '',
    after: sound && random.chance(0.2) ? right() : '',
    intact: sound,
  }
}

/** Mostly one piece, sometimes some. */
function cut(random: Random, text: string): readonly string[] {
  if (random.chance(0.8)) return [text]
  const places = Array.from({ length: 1 + random.below(4) }, () => random.below(text.length)).toSorted((a, b) => a - b)
  return [0, ...places].map((place, index) => text.slice(place, places[index]))
}

/**
 * Sends some parts, each in pieces, on a new connection and reads until the server ends it. Between two parts it waits
 * for an answer.
 */
async function exchange({
  port,
  parts,
  intact,
}: {
  port: number
  parts: readonly (readonly string[])[]
  intact: boolean
}): Promise<{ readonly received: string; readonly hung: boolean }> {
  let received = ''
  let hung = false
  let mayTurnAway = false
  const [closed, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  socket.setEncoding('latin1')
  socket.setTimeout(patience.hung)
  socket.on('data', (text: string) => {
    received += text
    if (isWhole(received)) answered.resolve()
  })
  // A reset is one way to end a connection; what was received before it counts.
  socket.on('error', () => {})
  socket.on('end', () => socket.destroySoon())
  socket.on('close', () => {
    answered.resolve()
    closed.resolve()
  })
  socket.on('timeout', () => {
    if (mayTurnAway && !socket.writableEnded) {
      socket.setTimeout(patience.hung)
      socket.end()
    } else {
      hung = true
      socket.destroy()
    }
  })
  for (const [index, pieces] of parts.entries()) {
    if (index > 0) await answered.promise
    for (const piece of pieces) {
      if (socket.writable) socket.write(piece, 'latin1')
      await turn()
    }
  }
  mayTurnAway = !intact
  if (mayTurnAway && !socket.destroyed) socket.setTimeout(patience.silent)
  await closed.promise
  return { received, hung }
}

function isWhole(received: string): boolean {
  try {
    return readAnswers(received, { head: false }).length > 0
  } catch {
    return false
  }
}

function judge({
  conversation: { form, before, wrong, after },
  inPieces,
  received,
  found,
  progress,
}: {
  conversation: Conversation
  inPieces: boolean
  received: string
  found: SocketFindings
  progress: (line: string) => void
}): void {
  let answers: readonly HttpAnswer[] = []
  try {
    answers = readAnswers(received, { head: /(?:^|\n)HEAD /.test(wrong) })
  } catch (error) {
    found.unreadable++
    progress(`unreadable (${form}): ${String(error)}`)
  }
  if (received === '') found.silent++
  for (const answer of answers) {
    const name = nameOf(answer)
    found.answers[name] = (found.answers[name] ?? 0) + 1
  }
  // The answers come in the order of the requests, and a right one goes behind a wrong one only where that is one request.
  const place = 1 + Number(before !== '')
  const owed = after !== '' && !(inPieces && answers.length === place && isLast(answers.at(-1)))
  if (after !== '' && !owed) found.notOwed++
  const controls = [...(before === '' ? [] : [answers[0]]), ...(owed ? [answers[place]] : [])]
  for (const answer of controls) {
    found.controls++
    if (answer !== undefined && isAccepted(answer)) found.controlsAccepted++
    else progress(`a right request beside "${form}" was not accepted: ${answer === undefined ? '' : nameOf(answer)}`)
  }
  for (const answer of answers) {
    if (controls.includes(answer)) continue
    if (answer.status >= 500) {
      found.serverErrors++
      progress(`${nameOf(answer)} (${form}): ${JSON.stringify(wrong.slice(0, 300))}`)
    }
    if (isAccepted(answer)) {
      found.accepted++
      progress(`accepted (${form}): ${nameOf(answer)}: ${JSON.stringify(wrong.slice(0, 300))}`)
    }
  }
}

/** Whether a server has said with an answer that it will answer nothing more on the connection. */
function isLast(answer: HttpAnswer | undefined): boolean {
  return answer?.headers.get('connection') === 'close'
}

function nameOf({ status, body }: HttpAnswer): string {
  return `${status} ${codeOf(body)}`.trim()
}

function codeOf(body: string): string {
  return /"code":"([a-z_]+)"/.exec(body)?.[1] ?? ''
}

/** Answers of the handler: it has done its work, or has failed to. */
function isAccepted({ status, body }: HttpAnswer): boolean {
  return status === 200
    ? body.startsWith('{"status":"SUCCESS","id":')
    : status === 500 && codeOf(body) === 'task_failed'
}
