// What is typed, and what it is read as.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { csvRecords } from '../../../src/cli/input/csv.ts'
import { limitOf, limitText, quotaOf, quotaText } from '../../../src/cli/input/limits.ts'
import { iso, timeAgo, timeAhead, timeOfIso, seconds } from '../../../src/cli/input/when.ts'

test('spans of time are a number and a unit, and nothing else', () => {
  const spans = { '90s': 90, '15m': 900, '12h': 43_200, '30d': 2_592_000, '2w': 1_209_600, '0s': 0 }
  for (const [text, expected] of Object.entries(spans)) assert.equal(seconds(text), expected)
  for (const text of ['', '5', 'd', '-1d', '1.5h', '1D', '1 d', '1y', '9999999999s'])
    assert.throws(() => seconds(text), text)
})

test('a number without a unit is refused with what to write instead', () => {
  assert.throws(() => seconds('0'), { message: 'A span of time needs a unit: write 0s.' })
  for (const read of [seconds, timeAhead, timeAgo]) {
    assert.throws(() => read('30'), { message: 'A span of time needs a unit: write 30s, 30m, 30h, 30d or 30w.' })
    assert.throws(() => read('0'), /write 0s\./)
  }
  assert.throws(() => limitOf('burst=100/60'), {
    message: 'The window needs a unit: write burst=100/60s or burst=100/60m.',
  })
})

test('a time that the database has beyond all dates is shown as the number that it is', () => {
  assert.equal(iso(Date.UTC(2030, 0, 31)), '2030-01-31T00:00:00.000Z')
  for (const at of [8.64e15 + 1, -9e15, Number.MAX_SAFE_INTEGER]) assert.equal(iso(at), String(at))
})

test('a time has its offset, or is a date in UTC, or a span from now; a day that does not exist is none', () => {
  assert.equal(timeOfIso('2030-01-31'), Date.UTC(2030, 0, 31))
  assert.equal(timeOfIso('2030-01-31T12:00:00+02:00'), Date.UTC(2030, 0, 31, 10))
  assert.equal(timeOfIso('2028-02-29'), Date.UTC(2028, 1, 29))
  for (const text of [
    '2030-02-29',
    '2030-02-31T00:00:00Z',
    '2030-13-01',
    '2030-01-31T12:00',
    '2030-01-31T25:00Z',
    'soon',
    '1',
  ]) {
    assert.equal(timeOfIso(text), undefined, text)
    assert.throws(() => timeAhead(text), text)
  }
  const now = Date.now()
  assert.ok(Math.abs(timeAhead('1h') - now - 3_600_000) < 1000)
  assert.ok(Math.abs(timeAgo('1h') - now + 3_600_000) < 1000)
})

test('limits and quotas are read as they are written', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/),
      fc.integer({ min: 1, max: 1_000_000_000 }),
      fc.integer({ min: 1, max: 2_678_400 }),
      fc.boolean(),
      fc.boolean(),
      (name, limit, window, reportOnly, refuses) => {
        const given = {
          name,
          limit,
          window,
          ...(reportOnly ? { reportOnly } : {}),
          ...(refuses ? { whenUnavailable: 'refuse' as const } : {}),
        }
        assert.deepEqual(limitOf(limitText(given)), given)
      },
    ),
  )
  for (const text of ['1000', '1000/hour', '1000/day', '5/week', '0/month'])
    assert.equal(quotaText(quotaOf(text)), text)
  for (const text of [
    '',
    'burst',
    'burst=1',
    'burst=1/60',
    '=1/1m',
    'a=1/1m:x',
    'a=1/1m:refuse-when-unavailable:report-only',
  ])
    assert.throws(() => limitOf(text), text)
  for (const text of ['', '-1', '1/year', '1.5', '1/']) assert.throws(() => quotaOf(text), text)
})

async function records(...chunks: readonly string[]): Promise<readonly (readonly string[])[]> {
  async function* source(): AsyncGenerator<string> {
    yield* chunks
  }
  const found: (readonly string[])[] = []
  for await (const { fields } of csvRecords(source())) found.push(fields)
  return found
}

test('any fields written as CSV are read as they were, wherever the text is cut', async () => {
  const field = fc.string().map((text) => text.replaceAll('\r', ''))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 4 }),
      fc.nat(),
      async (rows, cut) => {
        const text = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')).join('\r\n')
        const at = text.length === 0 ? 0 : cut % text.length
        assert.deepEqual(await records(text.slice(0, at), text.slice(at)), rows)
      },
    ),
  )
})

test('CSV without quotes, with empty fields and empty lines; a quote out of place is a fault with its line', async () => {
  assert.deepEqual(await records('a,b,\n\n1,,2\r\n'), [
    ['a', 'b', ''],
    ['1', '', '2'],
  ])
  await assert.rejects(records('a,b\n1,x"y\n'), /^SyntaxError: Line 2: /)
  await assert.rejects(records('a\n"x"y\n'), /^SyntaxError: Line 2: /)
  await assert.rejects(records('a\n"x'), /^SyntaxError: Line 2: a quote is not closed/)
  await assert.rejects(records(`a\n"${'x'.repeat(1_500_000)}`), /^SyntaxError: Line 2: a field is too long/)
})
