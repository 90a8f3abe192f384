import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cursorsOf } from '../../../src/keyring/reading/cursor.ts'
import { openKeyring } from '../../../src/index.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import { newFile, openOn, scopes, shop } from '../workbench.ts'

const { cursorOf, positionOf } = cursorsOf({ cursorKey: 'a' })
const shape = ['text', 'integer or null', 'integer'] as const

test('a cursor is read as it was made, and fits into a URL as it is', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 120 }).filter((value) => !/\p{Cc}|\p{Cs}/u.test(value))
  const position = fc.tuple(text, fc.option(fc.maxSafeInteger()), fc.maxSafeInteger())
  fc.assert(
    fc.property(position, (values) => {
      const cursor = cursorOf('name', values)
      assert.match(cursor, /^[\w-]+$/)
      assert.deepEqual(positionOf(cursor, 'name', shape), values)
    }),
  )
})

test('whatever is not the cursor of this order is refused by name, and never taken as the first page', () => {
  const refused = { code: 'invalid_input', message: /cursor/ }
  assert.equal(positionOf(undefined, 'name', shape), undefined)
  const wrong = [
    cursorOf('oldest', ['a', 1, 2]),
    cursorsOf({ cursorKey: 'b' }).cursorOf('name', ['a', 1, 2]),
    Buffer.from(JSON.stringify(['name', 'a', 1, 2])).toString('base64url'),
    cursorOf('name', ['a', 1]),
    cursorOf('name', ['a', null, null]),
    cursorOf('name', [1, 1, 2]),
    cursorOf('name', ['a\0', 1, 2]),
    cursorOf('name', ['a', 0.5, 2]),
    '',
    '12',
    'bnVsbA',
    null,
    7,
    'x'.repeat(5000),
  ]
  for (const cursor of wrong) assert.throws(() => positionOf(cursor, 'name', shape), refused, String(cursor))
  fc.assert(fc.property(fc.string(), (cursor) => assert.throws(() => positionOf(cursor, 'name', shape), refused)))
})

test('a cursor tells nothing of the place that it has: no number, no name, and not how long they are', () => {
  const [one, other] = [cursorOf('oldest', [1]), cursorOf('oldest', [1_000_000])]
  assert.equal(one.length, other.length)
  for (const cursor of [one, other, cursorOf('owners', ['acme'])]) {
    assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /oldest|owners|acme|1000000/)
  }
  // Neighbours have nothing in common from which a difference could be read.
  const bytes = [41, 42].map((place) => Buffer.from(cursorOf('oldest', [place]), 'base64url'))
  const equal = [...(bytes[0] ?? [])].filter((byte, index) => byte === bytes[1]?.[index])
  assert.ok(equal.length < 12, `${equal.length} of ${bytes[0]?.length} bytes`)
  // Of the number too, which would be another number.
  for (const [index, byte] of Buffer.from(one, 'base64url').entries()) {
    const altered = Buffer.from(one, 'base64url')
    altered[index] = byte ^ 1
    assert.throws(() => positionOf(altered.toString('base64url'), 'oldest', ['integer']), { code: 'invalid_input' })
  }
})

test('every process on a database reads the cursors of all, and none of another database', async () => {
  const file = newFile()
  const open = async (of: string): ReturnType<typeof openKeyring<keyof typeof scopes>> =>
    openKeyring({ store: sqliteStore({ file: of }), scopes })
  const [one, two, other] = [await open(file), await open(file), await open(newFile())]
  for (const keyring of [one, other]) await keyring.issueMany([shop, shop])
  const { cursor } = await one.list({ limit: 1 })
  assert.ok(cursor !== null)
  assert.equal((await two.list({ limit: 1, cursor })).keys.length, 1)
  await assert.rejects(other.list({ limit: 1, cursor }), { code: 'invalid_input' })
  for (const keyring of [one, two, other]) await keyring.close()
})

test('a cursor leads to the next page of its own list, and every other list refuses it', async () => {
  const { keyring, clock } = await openOn((store) => store)
  for (const [call, { secret }] of [await keyring.issue(shop), await keyring.issue(shop)].entries()) {
    await keyring.verify(secret)
    const verdict = await keyring.verify('no key')
    assert.ok(!verdict.ok)
    keyring.noteRefusal?.(verdict, { requestId: `request-${call}`, route: `GET /${call}` })
  }
  clock.advance(1000)
  await keyring.flushUsage()
  type Page = { readonly limit: number; readonly order: 'newest' | 'oldest'; readonly cursor?: string }
  const lists = {
    keys: async (page: Page) => keyring.list(page),
    journal: async (page: Page) => keyring.journal(page),
    'journal by time': async (page: Page) => keyring.journal({ ...page, from: 0 }),
    usage: async (page: Page) => keyring.usage({ ...page, to: clock.now() }),
    refusals: async (page: Page) => keyring.refusals(page),
  }
  for (const order of ['newest', 'oldest'] as const) {
    for (const [name, read] of Object.entries(lists)) {
      const { cursor } = await read({ limit: 1, order })
      assert.ok(cursor !== null, `${name} has a second page`)
      for (const [other, readOther] of Object.entries(lists)) {
        const page = readOther({ limit: 1, order, cursor })
        if (other === name) await page
        else await assert.rejects(page, { code: 'invalid_input' }, `${other} with the cursor of ${name}`)
      }
    }
  }
})
