import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageSeriesOptions } from '../../../src/keyring/reading/usage-series.ts'
import { openOn, shop } from '../workbench.ts'

const hour = 3_600_000
const day = 24 * hour

async function opened() {
  return openOn((store) => store, { usageInterval: 10_000 })
}

test('a time is rounded to whole steps in UTC, and what is before, after or unfinished is where it belongs', async () => {
  const { keyring, clock } = await opened()
  const { secret } = await keyring.issue(shop)
  const midnight = Math.ceil(clock.now() / day) * day
  for (const at of [midnight - 10, midnight, midnight + hour - 10, midnight + hour]) {
    clock.set(at)
    await keyring.verify(secret, { cost: 10 })
  }
  await keyring.flushUsage()
  const ask = async (options: UsageSeriesOptions): Promise<unknown> => {
    const { from, to, series } = await keyring.usageSeries(options)
    return [from - midnight, to - midnight, ...series.map(({ count, cost }) => [count, cost])]
  }
  assert.deepEqual(await ask({ step: 'hour', from: midnight - 1, to: midnight + 1 }), [
    -hour,
    hour,
    [
      [1, 2],
      [10, 20],
    ],
  ])
  assert.deepEqual(await ask({ from: midnight + 5, to: midnight + hour }), [0, day, [[3], [30]]])
  assert.deepEqual(await ask({ step: 'hour', from: midnight + hour }), [hour, 2 * hour, [[1], [10]]])
  const usual = await keyring.usageSeries({ step: 'hour' })
  assert.deepEqual([usual.from, usual.to], [midnight + 2 * hour - day, midnight + 2 * hour])
  assert.equal(usual.asOf, clock.now() - 10_000, 'what this process may not have written yet')
})

test('calls that a report-only limit has reported are added to no others', async () => {
  const { keyring } = await opened()
  const limits = [{ name: 'trial', limit: 1, window: 60, reportOnly: true }]
  const { key, secret } = await keyring.issue({ ...shop, limits })
  for (let call = 0; call < 3; call++) await keyring.verify(secret)
  await keyring.flushUsage()
  const totals = async (options: UsageSeriesOptions): Promise<unknown> =>
    (await keyring.usageSeries(options)).series.map(({ group, total }) => [group, total.count, total.cost])
  assert.deepEqual(await totals({}), [
    ['accepted', 3, 3],
    ['over_limit_reported', 2, 0],
  ])
  for (const by of ['key', 'owner', 'environment'] as const) {
    const name = { key: key.id, owner: 'acme', environment: 'live' }[by]
    assert.deepEqual(await totals({ by }), [[name, 3, 3]])
    assert.deepEqual(await totals({ by, outcome: 'over_limit_reported' }), [[name, 2, 0]])
  }
})

test('more steps, days or series than are answered are refused by the name of the option', async () => {
  const { keyring, clock } = await opened()
  const to = clock.now()
  const wrong: readonly (readonly [options: UsageSeriesOptions, message: RegExp])[] = [
    [{ step: 'hour', to, from: to - 801 * hour }, /^from must be at most 800 hours before to\.$/],
    [{ to, from: to - 801 * day }, /^from must be at most 800 days before to\.$/],
    [{ by: 'key', to, from: to - 94 * day }, /^from must be at most 93 days before to, because by is key\.$/],
    [{ to, from: to + 2 * day }, /^from must be a time before to\.$/],
    [{ by: 'owner', top: 51 }, /^top must be a whole number from 1 to 50\.$/],
    [{ by: 'outcome', top: 5 }, /^top must be left out unless by is key or owner\.$/],
    [{ by: 'limit' as 'key' }, /^by must be one of outcome, environment, owner, key\.$/],
    [{ step: 'week' as 'day' }, /^step must be one of hour, day\.$/],
    [{ outcome: 'lost' as 'accepted' }, /^outcome must be one of accepted, /],
  ]
  for (const [options, message] of wrong) {
    await assert.rejects(keyring.usageSeries(options), { code: 'invalid_input', message })
  }
})
