import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { freePort } from '../../../../test/free-port.ts'
import { questionReader } from '../../src/client/question.ts'
import type { Transport, TransportOptions } from '../../src/client/transport.ts'
import { openTransport } from '../../src/client/transport.ts'
import { verbsOver } from '../../src/client/verbs.ts'
import { verifierOver } from '../../src/client/verify.ts'
import type { LatchkeyError } from '../../src/error.ts'
import type { Step } from './scripted.ts'
import { answer, problem, scripted } from './scripted.ts'

const key = 'lk_admin_0123456789abcdefghijABCDEFGHIJ01234567'
const page = answer(200, { keys: [], cursor: null })
const refused = answer(200, { valid: false, code: 'revoked' })
const atOnce = { 'retry-after': '0' }

interface Connected {
  readonly transport: Transport
  /** The waits between requests, in milliseconds. No time passes for them. */
  readonly waits: number[]
  /** Is called at the beginning of each wait. */
  onWait: () => unknown
}

/** A transport whose waits are noted, and over as soon as they have begun. Chance is always its half. */
function connected(url: string, options: Partial<TransportOptions> = {}): Connected {
  let now = 0
  const waits: number[] = []
  const after = (milliseconds: number, call: () => void) => {
    waits.push(milliseconds)
    now += milliseconds
    void Promise.resolve(result.onWait()).then(call)
    return () => undefined
  }
  const transport = openTransport({ url, key, waits: { monotonic: () => now, after, random: () => 0.5 }, ...options })
  const result: Connected = { transport, waits, onWait: () => undefined }
  return result
}

const list = async ({ transport }: Connected) => verbsOver(transport).list()

const verify = async ({ transport }: Connected, dryRun = false) =>
  verifierOver(transport, questionReader(['live'])).verify('x', undefined, { dryRun })

async function failureOf(call: Promise<unknown>): Promise<LatchkeyError> {
  return call.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => error as LatchkeyError,
  )
}

/** After each of these, the server may have done what was asked. */
const losses: Readonly<Record<string, Step>> = {
  'reset before the answer': 'reset',
  'ended before the answer': { bytes: '', after: 'end' },
  'cut in the head of the answer': { bytes: 'HTTP/1.1 200 OK\r\nconte', after: 'reset' },
  'cut in its body': { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"keys":[],', after: 'end' },
  'reset in its body': { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"keys":[],', after: 'reset' },
  'a proxy without a server': answer(502, '<html>'),
  'a proxy whose server is late': answer(504, ''),
  'a store that fails': problem(503, 'unavailable'),
  'a commit whose end is not known': problem(503, 'outcome_unknown'),
}

test('a call that reads is sent again after every loss', async (context) => {
  for (const [name, loss] of Object.entries(losses)) {
    const server = await scripted(context, [loss, page])
    const client = connected(server.url)
    assert.deepEqual((await list(client)).keys, [], name)
    assert.deepEqual([server.requests.length, client.waits], [2, [75]], name)
  }
})

test('verify that spends is not sent again after any loss, and a dry run is', async (context) => {
  for (const [name, loss] of Object.entries(losses)) {
    const server = await scripted(context, [loss, refused])
    const client = connected(server.url)
    const verdict = await verify(client)
    assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable', name)
    assert.deepEqual([server.requests.length, client.waits], [1, []], name)

    const again = await scripted(context, [loss, refused])
    const dry = await verify(connected(again.url), true)
    assert.ok(!dry.ok && dry.refusal.code === 'revoked', name)
    assert.equal(again.requests.length, 2, name)
  }
})

test('verify that spends is sent again when the server has not begun with it', async (context) => {
  const limited = await scripted(context, [problem(429, 'over_limit', atOnce), refused])
  const verdict = await verify(connected(limited.url))
  assert.ok(!verdict.ok && verdict.refusal.code === 'revoked')
  assert.equal(limited.requests.length, 2)

  const port = await freePort()
  const client = connected(`http://127.0.0.1:${port}`)
  let server: Awaited<ReturnType<typeof scripted>> | undefined
  // Nothing listens until the client waits.
  client.onWait = async () => {
    server ??= await scripted(context, [refused], port)
  }
  const late = await verify(client)
  assert.ok(!late.ok && late.refusal.code === 'revoked')
  assert.deepEqual([server?.requests.length, client.waits], [1, [75]])
})

test('waits grow, with chance in them, and have an end', async (context) => {
  const server = await scripted(context, ['reset'])
  const client = connected(server.url, { retries: 10, timeout: 60_000 })
  assert.equal((await failureOf(list(client))).code, 'unavailable')
  assert.deepEqual(client.waits, [75, 150, 300, 600, 1200, 1500, 1500, 1500, 1500, 1500])
  assert.equal(server.requests.length, 11)

  const times = { monotonic: () => 0, random: () => 0 }
  const soonest: number[] = []
  const after = (milliseconds: number, call: () => void) => {
    soonest.push(milliseconds)
    call()
    return () => undefined
  }
  await failureOf(verbsOver(openTransport({ url: server.url, key, waits: { ...times, after } })).list())
  assert.deepEqual(soonest, [50, 100])
})

test('a call waits as long as Retry-After says, by the clock of the answer', async (context) => {
  const date = 'Wed, 21 Oct 2015 07:28:00 GMT'
  const waits: readonly (readonly [fields: Readonly<Record<string, string>>, milliseconds: number])[] = [
    [{ 'retry-after': '2' }, 2075],
    [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:03 GMT', date }, 3075],
    [{ 'retry-after': 'Wed, 21 Oct 2015 07:27:00 GMT', date }, 75],
    [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:03 GMT' }, 75],
    [{ 'retry-after': 'soon' }, 75],
    [{ 'retry-after': '-1' }, 75],
    [{ 'retry-after': '' }, 75],
  ]
  for (const [fields, milliseconds] of waits) {
    const server = await scripted(context, [problem(503, 'unavailable', fields), page])
    const client = connected(server.url)
    await list(client)
    assert.deepEqual(client.waits, [milliseconds], JSON.stringify(fields))
  }
})

test('a call that would wait beyond its own time fails at once, with the answer that is there', async (context) => {
  for (const seconds of ['5', '86400', '999999999']) {
    const server = await scripted(context, [problem(429, 'over_limit', { 'retry-after': seconds }), page])
    const client = connected(server.url)
    const { code, message } = await failureOf(list(client))
    assert.deepEqual([code, message], ['unavailable', `Detail of over_limit. In ${seconds} s.`])
    assert.deepEqual([server.requests.length, client.waits], [1, []])
  }
  // The waits add up.
  const server = await scripted(context, [problem(503, 'unavailable', { 'retry-after': '2' })])
  const client = connected(server.url, { retries: 10 })
  await failureOf(list(client))
  assert.equal(server.requests.length, 3)
})

test('what would fail again is not sent again', async (context) => {
  const finals: readonly Step[] = [
    problem(500, 'internal'),
    problem(401, 'invalid_key'),
    problem(404, 'unknown_key'),
    problem(409, 'conflict'),
    problem(409, 'still_running'),
    answer(200, '<html>'),
    answer(307, '', { location: 'http://127.0.0.1:1' }),
  ]
  for (const final of finals) {
    const server = await scripted(context, [final, page])
    const client = connected(server.url)
    await failureOf(list(client))
    assert.deepEqual([server.requests.length, client.waits], [1, []])
  }
})

test('a change that was lost waits while its first sending is still running, and not for ever', async (context) => {
  const running = problem(409, 'still_running')
  const done = answer(200, { repeated: true })
  const server = await scripted(context, ['reset', running, running, done])
  const client = connected(server.url)
  await verbsOver(client.transport).disable('key_1')
  assert.deepEqual(client.waits, [75, 1100, 1100])
  const tokens = server.requests.map((request) => /^idempotency-key: (.+)$/im.exec(request)?.[1])
  assert.ok(tokens[0] !== undefined && new Set(tokens).size === 1, 'with the idempotency key that it had')

  const never = await scripted(context, ['reset', running])
  const { code } = await failureOf(verbsOver(connected(never.url, { timeout: 60_000 }).transport).disable('key_1'))
  assert.deepEqual([code, never.requests.length], ['still_running', 6])
})

test('a server that is late is not asked again', async (context) => {
  const server = await scripted(context, ['nothing'])
  const client = connected(server.url, { timeout: 50 })
  assert.match((await failureOf(list(client))).message, /no answer in 0\.05 s/)
  const begun = await scripted(context, [{ bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{', after: 'keep' }])
  assert.match((await failureOf(list(connected(begun.url, { timeout: 50 })))).message, /no answer in 0\.05 s/)
  assert.deepEqual([server.requests.length, begun.requests.length], [1, 1])
})

test('nothing is sent again after the connection was closed', async (context) => {
  const server = await scripted(context, ['reset', page])
  const client = connected(server.url)
  client.onWait = () => client.transport.close()
  assert.match((await failureOf(list(client))).message, /was closed/)
  assert.equal(server.requests.length, 1)
})

test('a signal gives up a call before it, during it and between two requests, with its reason', async (context) => {
  const reason = new Error('No longer needed')
  const before = await scripted(context, [page])
  assert.equal(await failureOf(list(connected(before.url, { signal: AbortSignal.abort(reason) }))), reason)
  assert.equal(before.requests.length, 0)

  const during = await scripted(context, ['nothing'])
  for (const begin of [list, verify]) {
    const controller = new AbortController()
    during.onRequest = () => controller.abort(reason)
    const result = await begin(connected(during.url, { signal: controller.signal })).catch((error: unknown) => error)
    assert.equal(begin === list ? result : (result as { cause?: unknown }).cause, reason)
  }
  assert.equal(during.requests.length, 2)

  const between = await scripted(context, [problem(503, 'unavailable'), page])
  const controller = new AbortController()
  const client = connected(between.url, { signal: controller.signal })
  // The wait itself never ends.
  client.onWait = async () => {
    controller.abort(reason)
    return new Promise(() => undefined)
  }
  assert.equal(await failureOf(list(client)), reason)
  assert.equal(between.requests.length, 1)
})

test('a signal and a time for some calls are theirs alone, and the signal of the connection counts too', async (context) => {
  const server = await scripted(context, [page])
  const all = new AbortController()
  const some = new AbortController()
  const client = connected(server.url, { signal: all.signal })
  const part = { ...client, transport: client.transport.with({ signal: some.signal }) }
  some.abort('some')
  assert.equal(await failureOf(list(part)), 'some')
  assert.deepEqual((await list(client)).keys, [])
  const other = { ...client, transport: client.transport.with({ signal: new AbortController().signal }) }
  assert.deepEqual((await list(other)).keys, [])
  all.abort('all')
  assert.equal(await failureOf(list(client)), 'all')
  assert.equal(await failureOf(list(other)), 'all')

  const silent = await scripted(context, ['nothing'])
  const { transport } = connected(silent.url)
  const brief = transport.with({ timeout: 20 })
  for (const briefly of [brief, brief.with({})]) {
    assert.match((await failureOf(verbsOver(briefly).verifyJournal())).message, /no answer in 0\.02 s/)
  }
  for (const [wrong, told] of [
    [{ timeout: 0 }, /^timeout/],
    [{ timeout: 2 ** 31 }, /^timeout/],
    [{ signal: {} as never }, /^signal/],
  ] as const) {
    assert.throws(() => transport.with(wrong), { code: 'invalid_input', message: told })
  }
})

test('an error has the id of its request where the answer had one that can be printed', async (context) => {
  const id = '3f0c19c5-5b0e-4f0e-9a0d-0d2a5e3f6c11'
  const named = { 'x-request-id': id }
  const cut: Step = { bytes: `HTTP/1.1 503 X\r\nx-request-id: ${id}\r\ncontent-length: 99\r\n\r\n{`, after: 'end' }
  const steps: readonly Step[] = [
    problem(409, 'conflict', named),
    problem(503, 'unavailable', named),
    problem(401, 'invalid_key', named),
    answer(500, '<html>', named),
    answer(200, '<html>', named),
    answer(301, '', named),
    cut,
  ]
  for (const step of steps) {
    const server = await scripted(context, [step])
    assert.equal((await failureOf(list(connected(server.url)))).requestId, id)
  }
  for (const step of [
    problem(409, 'conflict'),
    problem(409, 'conflict', { 'x-request-id': 'a b' }),
    'reset',
  ] as const) {
    const server = await scripted(context, [step])
    const error = await failureOf(list(connected(server.url)))
    assert.ok(!Object.hasOwn(error, 'requestId'))
  }
  const long = await scripted(context, [problem(409, 'conflict', { 'x-request-id': 'a'.repeat(201) })])
  assert.equal((await failureOf(list(connected(long.url)))).requestId, undefined)
})

test('the client says which version it is, and of which Node', async (context) => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
  const server = await scripted(context, [page])
  await list(connected(server.url))
  const sent = /^user-agent: (.+)\r$/im.exec(server.requests[0] ?? '')?.[1]
  assert.equal(sent, `latchkey/${manifest.version} node/${process.versions.node}`)
})

test('an address where something else answers is said to be wrong, with what may mend it', async (context) => {
  const elsewhere: readonly (readonly [step: Step, told: RegExp])[] = [
    [answer(404, '<html>'), /is not a Latchkey server: it says 404\. Check the address, and its prefix/],
    [problem(404, 'not_found'), /says 404 not_found: .+ Check the address, and its prefix/],
    [answer(200, '<html>'), /is not a Latchkey server: its answer is not a JSON object/],
    [{ bytes: 'SSH-2.0-OpenSSH_9.2\r\n', after: 'keep' }, /cannot be reached: it does not speak HTTP/],
  ]
  for (const [step, told] of elsewhere) {
    const server = await scripted(context, [step])
    const { message } = await failureOf(list(connected(server.url)))
    assert.match(message, told)
    assert.ok(message.includes(server.url))
  }
})
