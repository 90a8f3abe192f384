import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RefusalDraft } from '../../src/ports.ts'
import { refusals as known } from '../../src/refusal.ts'
import type { Refusals } from '../../src/verify/refusals.ts'
import { openRefusals } from '../../src/verify/refusals.ts'
import type { NotedRefusal } from '../../src/verify/refused-call.ts'
import { waitingRefusals } from '../../src/verify/waiting-refusals.ts'

const noon = Date.UTC(2030, 0, 15, 12)

/** A noted refusal of a key, or of a stranger for `''`. */
function noted(key: string, overrides: { readonly at?: number; readonly route?: string } = {}): NotedRefusal {
  const { at = noon, route = 'GET /orders' } = overrides
  const of = key === '' ? {} : { keyId: key, owner: 'acme', environment: 'live' }
  const refusal = key === '' ? known.unknown : known.expired
  return {
    at,
    refused: { ok: false, refusal, ...of },
    call: { requestId: `${key} ${route}`, route },
    environment: 'live',
  }
}

interface Watched {
  readonly refusals: Refusals
  readonly batches: (readonly RefusalDraft[])[]
  readonly errors: unknown[]
  failing: boolean
  now: number
  /** The id of a key that was erased. */
  erased: string
}

/** @param taken - how many refusals the store takes at once. */
function watched(taken = Number.POSITIVE_INFINITY): Watched {
  const batches: (readonly RefusalDraft[])[] = []
  const errors: unknown[] = []
  const store = {
    recordRefusals(batch: readonly RefusalDraft[]) {
      if (parts.failing) throw new Error('The disk is full.')
      batches.push(batch.slice(0, taken))
      return batch.slice(taken)
    },
    isErasedUse: ({ key }: { readonly key: string }) => key === parts.erased,
  }
  const bounds = { known: 1000, perKey: 100, strangers: 100 }
  const onError = (error: unknown): void => void errors.push(error)
  const refusals = openRefusals({ store, now: () => parts.now, instance: 'host 1', bounds, onError })
  const parts: Watched = { refusals, batches, errors, failing: false, now: noon, erased: '' }
  return parts
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await nextTurn()
}

const countOf = (written: readonly RefusalDraft[]): number => written.reduce((sum, { count }) => sum + count, 0)

test('at a refusal nothing is written, be it the thousandth', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { refusals, batches } = watched()
  for (let call = 0; call < 5000; call++) refusals.note(noted(call % 2 === 0 ? '' : `key_${call}`))
  assert.deepEqual(batches, [])
})

test('refusals are written when their second is over, so that equal ones of one second are one row', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const parts = watched()
  for (let call = 0; call < 3; call++) parts.refusals.note(noted('key_a'))
  parts.now = noon + 999
  context.mock.timers.tick(1000)
  await turns()
  assert.deepEqual(parts.batches, [], 'an equal one may still come')
  parts.refusals.note(noted('key_a', { at: noon + 999 }))
  parts.now = noon + 1500
  parts.refusals.note(noted('key_a', { at: noon + 1500 }))
  context.mock.timers.tick(1000)
  await turns()
  assert.deepEqual(
    parts.batches.flat().map(({ count }) => count),
    [4],
  )
  parts.now = noon + 2500
  context.mock.timers.tick(1000)
  await turns()
  assert.deepEqual(
    parts.batches.flat().map(({ count }) => count),
    [4, 1],
  )
})

test('what cannot be written is told, stays, and is written later; closing writes the rest', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const parts = watched()
  parts.failing = true
  parts.refusals.note(noted('key_a'))
  parts.now = noon + 5000
  context.mock.timers.tick(1000)
  await turns()
  assert.equal(parts.errors.length, 1)
  context.mock.timers.tick(5000)
  await turns()
  assert.equal(parts.errors.length, 1, 'a store that fails is not asked every second')
  parts.refusals.note(noted('key_b', { at: noon + 5000 }))
  parts.failing = false
  context.mock.timers.tick(5000)
  await turns()
  assert.deepEqual(
    parts.batches.flat().map(({ key }) => key),
    ['key_a'],
  )
  await parts.refusals.close()
  assert.deepEqual(
    parts.batches.flat().map(({ key }) => key),
    ['key_a', 'key_b'],
  )
})

test('a store that takes a part of a batch is given the rest, and a failure in between loses and repeats nothing', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const parts = watched(3)
  for (let call = 0; call < 50; call++) parts.refusals.note(noted(`key_${call}`))
  const flushed = parts.refusals.flush()
  for (let turn = 0; turn < 6; turn++) await nextTurn()
  parts.failing = true
  await assert.rejects(flushed)
  parts.failing = false
  const first = parts.batches.length
  await parts.refusals.flush()
  assert.ok(first > 0 && parts.batches.length > first, 'it failed in between')
  const keys = parts.batches.flat().map(({ key }) => key)
  assert.deepEqual(keys.toSorted(), Array.from({ length: 50 }, (_, call) => `key_${call}`).toSorted())
})

test('many are written in batches, and after each everything else gets its turn', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const { refusals, batches } = watched()
  for (let call = 0; call < 500; call++) refusals.note(noted(`key_${call}`))
  let most = 0
  let before = 0
  const flushed = refusals.flush()
  for (let turn = 0; turn < 200; turn++) {
    await nextTurn()
    most = Math.max(most, batches.length - before)
    before = batches.length
  }
  await flushed
  assert.equal(countOf(batches.flat()), 500)
  assert.ok(batches.every((batch) => batch.length <= 10) && most <= 2, `${most} batches in a turn`)
})

test('a flood waits in bounds, and takes no place of another key, while a store stays away', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const parts = watched()
  parts.failing = true
  for (let call = 0; call < 50_000; call++) {
    parts.refusals.note(noted('', { route: `GET /${call}` }))
    parts.refusals.note(noted('noisy', { route: `GET /${call}` }))
    if (call % 10_000 === 0) parts.refusals.note(noted('quiet', { route: `GET /${call}` }))
  }
  await assert.rejects(parts.refusals.flush())
  for (let call = 0; call < 20_000; call++) parts.refusals.note(noted(`key_${call}`))
  parts.failing = false
  await parts.refusals.flush()
  const written = parts.batches.flat()
  const of = (key: string): number => written.filter((one) => one.key === key).length
  assert.deepEqual([of(''), of('noisy'), of('quiet')], [1000, 100, 5])
  assert.equal(written.length, 10_000)
})

const drafts = fc.array(
  fc.record({
    key: fc.constantFrom('', 'a', 'b', 'c'),
    at: fc.integer({ min: 0, max: 3000 }),
    route: fc.constantFrom('GET /1', 'GET /2'),
    id: fc.uuid(),
  }),
  { maxLength: 60 },
)

test('what waits is never more than the bounds, and where they suffice no call is left out or counted twice', () => {
  const bounds = fc.record({
    perKey: fc.integer({ min: 1, max: 8 }),
    strangers: fc.integer({ min: 1, max: 8 }),
    total: fc.integer({ min: 1, max: 32 }),
  })
  fc.assert(
    fc.property(bounds, drafts, fc.option(fc.integer({ min: 0, max: 3000 })), (most, calls, now) => {
      const waiting = waitingRefusals(most)
      const wide = waitingRefusals({ perKey: 1000, strangers: 1000, total: 1000 })
      for (const { key, at, route, id } of calls) {
        const draft = draftWith({ key, at, route, requestIds: [id] })
        waiting.add(draft)
        wide.add(draft)
        assert.ok(waiting.size() <= most.total)
      }
      const taken = waiting.take()
      for (const key of ['', 'a', 'b', 'c']) {
        const rows = taken.filter((one) => one.key === key).length
        assert.ok(rows <= (key === '' ? most.strangers : most.perKey))
      }
      const first = now === null ? [] : wide.take(now)
      const second = Math.floor((now ?? 0) / 1000)
      assert.ok(first.every(({ at }) => Math.floor(at / 1000) !== second))
      const all = [...first, ...wide.take()]
      assert.equal(wide.size(), 0)
      assert.equal(countOf(all), calls.length)
      const groups = new Map<string, number>()
      for (const { key, at, route } of calls) {
        const group = `${key} ${Math.floor(at / 1000)} ${route}`
        groups.set(group, (groups.get(group) ?? 0) + 1)
      }
      const counts = all.map(({ key, at, route, count }) => `${key} ${Math.floor(at / 1000)} ${route} ${count}`)
      assert.deepEqual(counts.toSorted(), Array.from(groups, ([group, count]) => `${group} ${count}`).toSorted())
      assert.ok(all.every(({ requestIds, count }) => requestIds.length === Math.min(10, count)))
    }),
  )
})

function draftWith(overrides: Partial<RefusalDraft>): RefusalDraft {
  const none = { address: null, route: null, requirement: null, missing: null, limit: null }
  const of = { key: '', owner: '', environment: '', code: 'unknown', instance: 'host 1' }
  return { requestIds: ['request'], at: noon, count: 1, ...none, ...of, ...overrides }
}

test('a key that changes hands has refusals of each of its owners, in one second too', async () => {
  const { refusals, batches } = watched()
  const one = noted('key_a')
  refusals.note(one)
  refusals.note({ ...one, refused: { ...one.refused, owner: 'globex' } })
  refusals.note({ ...one, refused: { ...one.refused, owner: 'globex', environment: 'test' } })
  await refusals.flush()
  const kept = batches.flat().map(({ owner, environment, count }) => [owner, environment, count])
  assert.deepEqual(kept, [
    ['acme', 'live', 1],
    ['globex', 'live', 1],
    ['globex', 'test', 1],
  ])
})

test('a requirement that was not understood takes no other refusal with it', async () => {
  const { refusals, batches } = watched()
  const strange = { allOf: 5, anyOf: ['a', 5n, '\u001b[31m'], environment: { a: 1 }, cost: 5n } as never
  const one = noted('')
  refusals.note(noted('key_a'))
  refusals.note({ ...one, call: { ...one.call, requirement: strange } })
  refusals.note(noted('key_b'))
  await refusals.flush()
  assert.deepEqual(
    batches.flat().map(({ key, requirement }) => [key, requirement]),
    [
      ['key_a', null],
      ['', { scopes: [], anyOf: ['a', '5', '\ufffd[31m'], environments: [], cost: 1 }],
      ['key_b', null],
    ],
  )
})

test('a flood with ids and addresses as long as headers does not stay in memory', async () => {
  const { refusals } = watched()
  const one = noted('')
  const long = (call: number): string => `${call}${'x'.repeat(1000)}`
  refusals.note({ ...one, call: { ...one.call, requestId: long(1) } })
  refusals.note({ ...one, call: { ...one.call, requestId: 'far', address: long(2) } })
  refusals.note({ ...one, call: { ...one.call, requestId: 'near' } })
  assert.equal(await refusals.recent(long(1)), undefined)
  assert.equal(await refusals.recent('far'), undefined)
  assert.equal((await refusals.recent('near'))?.count, 1)
})

test('a refusal of an erased key is no longer answered, and soon no longer in memory', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const parts = watched()
  const { refusals } = parts
  for (const key of ['key_a', 'key_b', '']) refusals.note(noted(key))
  parts.erased = 'key_a'
  assert.equal(await refusals.recent('key_a GET /orders'), undefined)
  refusals.erased()
  context.mock.timers.tick(1000)
  await turns()
  // As if it had never been erased: what is not in memory cannot come back.
  parts.erased = ''
  assert.equal(await refusals.recent('key_a GET /orders'), undefined)
  assert.equal((await refusals.recent('key_b GET /orders'))?.key, 'key_b')
  assert.equal((await refusals.recent(' GET /orders'))?.key, '')
})
