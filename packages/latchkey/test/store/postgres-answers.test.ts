import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { noPostgres, testSchema } from '../../../../test/postgres.ts'
import { chain } from '../../src/journal/chain.ts'
import type { PostgresClient } from '../../src/store/postgres.ts'
import { postgresStore } from '../../src/store/postgres.ts'
import { membersTable } from '../../src/store/postgres/members.ts'
import { sessionsOf } from '../../src/store/postgres/sessions.ts'
import { inserting, newKey } from '../conformance/store.ts'

describe('what PostgreSQL answers is not taken for more than it says', { skip: noPostgres }, async () => {
  if (noPostgres !== false) return
  const schema = await testSchema()
  const store = await postgresStore({ pool: schema.pool, listen: false })
  after(async () => {
    await store.close()
    await schema.remove()
  })

  test('a COMMIT that is answered with ROLLBACK is a failure', async () => {
    const pool = {
      async connect(): Promise<PostgresClient> {
        const client = await schema.pool.connect()
        const query = client.query.bind(client) as PostgresClient['query']
        const failing: PostgresClient['query'] = async (asked) => {
          if (asked.text === 'COMMIT') await query({ text: 'SELECT 1 / 0' }).catch(() => {})
          return query(asked)
        }
        return {
          query: failing,
          on: client.on.bind(client),
          removeListener: client.removeListener.bind(client) as never,
          release: (destroy) => client.release(destroy),
        }
      },
    }
    const failing = await postgresStore({ pool, listen: false })
    const made = newKey()
    const commit = async (): Promise<unknown> => failing.commit([inserting(made)], chain)
    await assert.rejects(commit, { code: 'unavailable', message: /answered COMMIT with ROLLBACK/ })
    assert.equal(await store.byId(made.key.id), undefined)
    await failing.close()
  })

  test('a member has not confirmed a change by an entry of another history with its number', async () => {
    const [entry] = (await store.commit([inserting(newKey())], chain)) ?? []
    assert.ok(entry)
    const { seq, hash } = entry
    const table = membersTable(sessionsOf(schema.pool))
    await table.register({ id: 'one', instance: 'one', former: undefined })
    const seen = async (): Promise<readonly number[]> =>
      (await table.progress([{ seq, hash }])).behind.map((member) => member.seen)
    await table.confirm('one', { seq, hash: 'f'.repeat(64) })
    assert.deepEqual(await seen(), [-1])
    await table.confirm('one', { seq, hash })
    assert.deepEqual(await seen(), [])
  })

  test('a number that JavaScript does not have is refused, and not rounded', async () => {
    const made = newKey()
    await store.commit([inserting(made)], chain)
    await schema.pool.query('UPDATE latchkey_keys SET created_at = 9007199254740993 WHERE id = $1', [made.key.id])
    await assert.rejects(async () => store.byId(made.key.id), { code: 'store_unusable', message: /9007199254740993/ })
  })
})
