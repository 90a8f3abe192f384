import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextPeriod, periodStart, refills } from '../../src/policy/limits.ts'

/** The period that a moment lies in, as two dates; the second one is where the next begins. */
function period(refill: 'hour' | 'day' | 'week' | 'month', moment: string): readonly string[] {
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

test('an hour is a UTC hour, and a week begins on Monday, over months, years and leap days too', () => {
  assert.deepEqual(period('hour', '2030-12-31T23:59:59.999Z'), ['2030-12-31T23:00:00.000Z', '2031-01-01T00:00:00.000Z'])
  assert.deepEqual(period('hour', '2030-05-17T10:00:00.000Z'), ['2030-05-17T10:00:00.000Z', '2030-05-17T11:00:00.000Z'])
  const weeks: Readonly<Record<string, readonly [string, string]>> = {
    '2026-11-23T00:00:00.000Z': ['2026-11-23', '2026-11-30'],
    '2026-11-29T23:59:59.999Z': ['2026-11-23', '2026-11-30'],
    '2027-01-01T00:00:00.000Z': ['2026-12-28', '2027-01-04'],
    '2028-03-01T00:00:00.000Z': ['2028-02-28', '2028-03-06'],
    '1970-01-01T00:00:00.000Z': ['1969-12-29', '1970-01-05'],
  }
  for (const [moment, week] of Object.entries(weeks)) {
    assert.deepEqual(
      period('week', moment),
      week.map((date) => `${date}T00:00:00.000Z`),
      moment,
    )
  }
})

test('what is never refilled has one period that does not end', () => {
  assert.equal(periodStart(null, Date.UTC(2030, 4, 17)), 0)
  assert.equal(nextPeriod(null, Date.UTC(2030, 4, 17)), null)
})

test('periods follow on each other without gap or overlap, and every moment lies in the one that is its own', () => {
  const refill = fc.constantFrom(...refills)
  fc.assert(
    fc.property(refill, fc.integer({ min: 0, max: Date.UTC(2400, 0, 1) }), (every, now) => {
      const [start, next] = [periodStart(every, now), nextPeriod(every, now)]
      assert.ok(next !== null && start <= now && now < next)
      assert.equal(periodStart(every, start), start)
      assert.equal(nextPeriod(every, start), next)
      assert.equal(periodStart(every, next), next, 'the next one begins where this one ends')
      assert.equal(periodStart(every, next - 1), start)
      const days = (next - start) / 86_400_000
      const lengths = { hour: [1 / 24], day: [1], week: [7], month: [28, 29, 30, 31] }
      assert.ok(lengths[every].includes(days), `${days} days`)
    }),
  )
})
