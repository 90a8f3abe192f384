import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cursorOf, positionOf } from '../../../src/keyring/reading/cursor.ts'
import { openOn, shop } from '../workbench.ts'

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
