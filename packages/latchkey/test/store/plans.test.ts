import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { beginningPlaces } from '../../src/store/short-text.ts'
import type { Query } from '../../src/store/sql.ts'
import { entriesQuery, refusalsQuery } from '../../src/store/sql.ts'
import { usageQuery } from '../../src/store/usage-sql.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'

const file = join(temporaryFolder('plans'), 'latchkey.db')
await sqliteStore({ file }).close()
const database = new DatabaseSync(file, { readOnly: true })
after(() => database.close())
const orders = ['newest', 'oldest'] as const

function boundTo(values: Query['values']): Record<string, Query['values'][number]> {
  return Object.fromEntries(values.map((value, index) => [index + 1, value]))
}

/** How SQLite reads the table that it begins with. */
function planOf({ text, values }: Query): string {
  const [first] = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(boundTo(values))
  return String(first?.['detail'])
}

const entries = (filter: Partial<Parameters<typeof entriesQuery>[0]>): string =>
  planOf(
    entriesQuery({ order: 'newest', limit: 10, ...filter } as Parameters<typeof entriesQuery>[0], (column) => column),
  )

const usage = (filter: Partial<Parameters<typeof usageQuery>[0]>): string =>
  planOf(usageQuery({ from: 0, to: 9, order: 'newest', limit: 10, ...filter } as Parameters<typeof usageQuery>[0]))

test('what is asked about one key is read in an index of the key, whoever asks and whatever else is asked', () => {
  const bound = { owner: 'acme', held: ['live', 'test'] }
  for (const order of orders) {
    for (const more of [{}, bound, { actor: 'key_b' }, { action: 'issue' }, { ...bound, actor: 'key_b' }] as const) {
      const asked = { order, subject: 'key_a', ...more }
      assert.match(entries(asked), /^SEARCH j USING INDEX \w+ \(subject=\?\)$/)
      assert.match(
        entries({ ...asked, from: 1, to: 8 }),
        /^SEARCH j USING INDEX \w+ \(subject=\? AND at>\? AND at<\?\)$/,
      )
    }
    const ofKey = /^SEARCH latchkey_usage USING INDEX latchkey_usage_by_key \(key_id=\? AND hour>\? AND hour<\?\)$/
    for (const more of [{}, { owner: 'acme' }, { outcome: 'expired' }, { owner: 'acme', environments: ['a', 'b'] }]) {
      assert.match(usage({ order, key: 'key_a', ...more }), ofKey)
    }
  }
})

test('an action in the journal of an owner is found without a look at the other entries of the owner', () => {
  for (const order of orders) {
    for (const held of [undefined, ['live']]) {
      const asked = { order, owner: 'acme', action: 'erase', held } as const
      const first = { order, position: { at: 5, seq: 5 } } as const
      for (const more of [{}, first]) {
        assert.match(
          entries({ ...asked, ...more }),
          /INDEX latchkey_journal_owners_by_action \(owner=\? AND filed_action=\?/,
        )
      }
      assert.match(entries({ ...asked, from: 1, to: 8 }), /INDEX latchkey_journal_owners_by_at \(owner=\? AND at>\?/)
    }
  }
})

test('refusals are read in their own index, and the use of an owner in the index of the owner', () => {
  for (const order of orders) {
    for (const more of [{}, { environments: ['live', 'test'] }]) {
      assert.match(usage({ order, owner: 'acme', ...more }), /INDEX latchkey_usage_by_owner \(owner=\? AND hour/)
      assert.match(usage({ order, owner: 'acme', outcome: 'expired', ...more }), /INDEX latchkey_usage_by_outcome /)
    }
  }
})

test('refusals of some environments are read in the index of each, whatever else is asked', () => {
  for (const order of orders) {
    for (const more of [
      {},
      { code: 'expired' },
      { route: 'GET /' },
      { after: { at: 5, place: 5 } },
      { from: 1, to: 8 },
    ]) {
      const { text, values } = refusalsQuery({ order, limit: 10, environments: ['live', 'test'], ...more })
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(boundTo(values))
      const read = plan.map(({ detail }) => String(detail)).filter((detail) => /^(?:SEARCH|SCAN) latchkey/.test(detail))
      assert.equal(read.length, 2)
      for (const step of read) assert.match(step, /INDEX latchkey_refusals_by_environment \(environment=\?/)
      assert.ok(!plan.some(({ detail }) => String(detail).includes('TEMP B-TREE')), 'nothing is sorted')
    }
  }
})

test('of the cursor and the time, only the later is where a page begins', () => {
  for (const order of orders) {
    const beginning = order === 'newest' ? 'at < ' : 'at >= '
    for (const [isLater, at] of [
      [true, 5],
      [false, order === 'newest' ? 8 : 0],
    ] as const) {
      const asked = { order, from: 1, to: 8, limit: 10 } as const
      const { text } = entriesQuery({ ...asked, position: { at, seq: 5 } }, (column) => column)
      assert.deepEqual([text.includes('(j.at, j.seq)'), text.includes(`j.${beginning}`)], [isLater, !isLater])
      const refusals = refusalsQuery({ ...asked, after: { at, place: 5 } }).text
      assert.deepEqual([refusals.includes('(at, place)'), refusals.includes(beginning)], [isLater, !isLater])
    }
  }
})

test('what begins with one or two characters is read in indexes, no further than it begins with them', () => {
  for (const [text, owner] of [
    ['é', undefined],
    ['ab', undefined],
    ['ab', 'acme'],
  ] as const) {
    const walk = { owner, environments: ['live', 'test'], order: 'oldest', after: undefined } as const
    const values: Query['values'][number][] = []
    const places = beginningPlaces(text, walk, (value) => `$${values.push(value)}`) ?? assert.fail()
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${places}`).all(boundTo(values))
    const reads = plan.map(({ detail }) => String(detail)).filter((detail) => /^(?:SEARCH|SCAN)/.test(detail))
    const ended =
      /^SEARCH k USING COVERING INDEX \w+_by_(?:name \(.*name>\? AND name<\?|start \(.*<expr>>\? AND <expr><\?)\)$/
    const owners =
      /^SEARCH c USING COVERING INDEX latchkey_counts_by_environment \(environment=\? AND <expr>>\? AND <expr><\?\)$/
    const ofOwner =
      /^SEARCH k USING COVERING INDEX latchkey_keys_in_environment_of_owner(?:_by_\w+)? \(owner=\? AND environment=\?\)$/
    assert.ok(reads.length > 2)
    for (const read of reads)
      assert.match(read, new RegExp([ended, owners, ofOwner].map(({ source }) => source).join('|')))
  }
})
