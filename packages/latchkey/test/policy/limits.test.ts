import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextPeriod, periodStart } from '../../src/policy/limits.ts'

/** The period that a moment lies in, as two dates; the second one is where the next begins. */
function period(refill: 'day' | 'month', moment: string): readonly string[] {
  const now = Date.parse(moment)
  return [periodStart(refill, now), nextPeriod(refill, now) ?? NaN].map((time) => new Date(time).toISOString())
}

test('a day is a UTC day, from its first millisecond to its last', () => {
  for (const moment of ['2030-05-17T00:00:00.000Z', '2030-05-17T23:59:59.999Z', '2030-05-18T01:00:00.000+02:00']) {
    assert.deepEqual(period('day', moment), ['2030-05-17T00:00:00.000Z', '2030-05-18T00:00:00.000Z'], moment)
  }
})

test('months and days end where the calendar says, in leap years too', () => {
  const ends: Readonly<Record<string, readonly [string, string]>> = {
    '2028-02-28T12:00Z': ['2028-02-29', '2028-03-01'],
    '2028-02-29T12:00Z': ['2028-03-01', '2028-03-01'],
    '2030-02-28T12:00Z': ['2030-03-01', '2030-03-01'],
    '2100-02-28T12:00Z': ['2100-03-01', '2100-03-01'],
    '2000-02-28T12:00Z': ['2000-02-29', '2000-03-01'],
    '2030-01-31T12:00Z': ['2030-02-01', '2030-02-01'],
    '2030-04-30T12:00Z': ['2030-05-01', '2030-05-01'],
    '2030-12-31T23:59:59.999Z': ['2031-01-01', '2031-01-01'],
    '1970-01-01T00:00Z': ['1970-01-02', '1970-02-01'],
  }
  for (const [moment, [day, month]] of Object.entries(ends)) {
    assert.equal(period('day', moment)[1], `${day}T00:00:00.000Z`, moment)
    assert.equal(period('month', moment)[1], `${month}T00:00:00.000Z`, moment)
  }
})

test('what is never refilled has one period that does not end', () => {
  assert.equal(periodStart(null, Date.UTC(2030, 4, 17)), 0)
  assert.equal(nextPeriod(null, Date.UTC(2030, 4, 17)), null)
})

test('periods follow on each other without gap or overlap, and every moment lies in the one that is its own', () => {
  const refill = fc.constantFrom('day' as const, 'month' as const)
  fc.assert(
    fc.property(refill, fc.integer({ min: 0, max: Date.UTC(2400, 0, 1) }), (every, now) => {
      const [start, next] = [periodStart(every, now), nextPeriod(every, now)]
      assert.ok(next !== null && start <= now && now < next)
      assert.equal(periodStart(every, start), start)
      assert.equal(nextPeriod(every, start), next)
      assert.equal(periodStart(every, next), next, 'the next one begins where this one ends')
      assert.equal(periodStart(every, next - 1), start)
      const days = (next - start) / 86_400_000
      assert.ok(every === 'day' ? days === 1 : [28, 29, 30, 31].includes(days), `${days} days`)
    }),
  )
})
