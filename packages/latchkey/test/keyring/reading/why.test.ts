import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeyring } from '../../../src/index.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import { recordUsage } from '../../conformance/record.ts'
import { scopes, stillClock } from '../workbench.ts'

const hour = 3_600_000
const noon = Date.UTC(2030, 0, 15, 12)

test('why counts all calls of its hours, however many keys were used, and none of other hours', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const clock = stillClock(noon + hour / 2)
  const keyring = await openKeyring({ store, scopes, clock })
  const place = { owner: 'acme', environment: 'live', limitName: '', cost: 0, count: 2 }
  const many = Array.from({ length: 10_050 }, (_, index) => ({
    ...place,
    key: `key_${index}`,
    hour: noon,
    outcome: 'expired',
  }))
  const others = [
    { ...place, key: 'key_1', hour: noon, outcome: 'accepted' },
    { ...place, key: 'key_1', hour: noon - hour, outcome: 'expired' },
    { ...place, key: 'key_1', hour: noon - 2 * hour, outcome: 'expired' },
    { ...place, key: 'key_2', owner: 'umbrella', hour: noon, outcome: 'expired' },
  ]
  await recordUsage(store, { counts: [...many, ...others], lastUsed: new Map() })
  const why = await keyring.why({ minutes: 60 })
  assert.deepEqual(why?.usage, [
    { hour: noon - hour, outcome: 'expired', count: 2 },
    { hour: noon, outcome: 'accepted', count: 2 },
    { hour: noon, outcome: 'expired', count: 20_102 },
  ])
  assert.equal(why?.complete, true)
  assert.deepEqual((await keyring.why({ minutes: 10, owner: 'umbrella' }))?.usage, [
    { hour: noon, outcome: 'expired', count: 2 },
  ])
  await keyring.close()
})
