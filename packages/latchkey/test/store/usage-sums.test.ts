import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { first, sumsQuery } from '../../src/store/usage-sums-sql.ts'

const file = join(temporaryFolder('usage-sums'), 'latchkey.db')
await sqliteStore({ file }).close()
const database = new DatabaseSync(file, { readOnly: true })

function planOf(text: string): string {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all()
  return steps.map(({ detail }) => String(detail)).join('\n')
}

test('the use of one key is found by the key, also for who sees one owner or some environments', () => {
  const asked = { key: 'key_1', from: 0, to: 9, by: 'outcome', top: 10 } as const
  const bound = { owner: 'acme', environments: ['live', 'test'] }
  for (const step of ['hour', 'day'] as const) {
    const sums = sumsQuery({ ...asked, ...bound, step, outcome: undefined }, 'outcome')
    assert.match(planOf(sums.text), /^SEARCH .*\(key_id=\? AND (?:hour|at)>\? AND/, step)
    const most = { ...asked, ...bound, step, key: undefined, outcome: undefined }
    assert.match(planOf(sumsQuery(most, 'key', ['key_1']).text), /^SEARCH .*\(key_id=\? AND (?:hour|at)>\? AND/, step)
  }
})

test('keys and owners with most calls are read in the order of their counts, and nothing is sorted', () => {
  for (const [name, text] of Object.entries(first)) {
    assert.match(planOf(text), /^SEARCH \S+ USING COVERING INDEX latchkey_usage_\w+_days_most\w* [^\n]*$/, name)
  }
})
