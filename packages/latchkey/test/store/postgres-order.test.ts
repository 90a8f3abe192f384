import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noPostgres, testSchema } from '../../../../test/postgres.ts'
import type { UsageCount } from '../../src/ports.ts'
import type { PostgresClient, PostgresQuery } from '../../src/store/postgres.ts'
import { postgresStore } from '../../src/store/postgres.ts'

const hour = 3_600_000

function use(key: string, owner: string, at: number, outcome: UsageCount['outcome'] = 'accepted'): UsageCount {
  return { hour: at, key, owner, environment: 'live', outcome, limitName: '', count: 1, cost: 1 }
}

test(
  'two instances that write usage change the rows that both change in one order, and never wait for each other',
  { skip: noPostgres },
  async (context) => {
    const schema = await testSchema()
    context.after(schema.remove)
    let asked: string[] = []
    const store = await postgresStore({
      listen: false,
      pool: {
        async connect(): Promise<PostgresClient> {
          const client = await schema.pool.connect()
          const query = client.query.bind(client) as PostgresClient['query']
          return {
            async query(statement: PostgresQuery) {
              const { text, values = [] } = statement
              if (text.includes('DO UPDATE')) asked.push(`${text} ${JSON.stringify(values.slice(0, -2))}`)
              return query(statement)
            },
            on: client.on.bind(client),
            removeListener: client.removeListener.bind(client) as never,
            release: (destroy) => client.release(destroy),
          }
        },
      },
    })
    const rowsOf = async (counts: readonly UsageCount[]): Promise<readonly string[]> => {
      asked = []
      const { counts: left } = await store.recordUsage({ counts, lastUsed: new Map() })
      assert.equal(left.length, 0)
      return [...new Set(asked)]
    }
    for (const [ours, theirs] of [
      [
        [use('a', 'acme', 0), use('b', 'zeta', 0)],
        [use('b', 'zeta', 0), use('a', 'acme', 0)],
      ],
      // The same owners, by other keys.
      [
        [use('a', 'zeta', 0), use('b', 'acme', 0)],
        [use('c', 'acme', 0), use('d', 'zeta', 0)],
      ],
      // The same keys, in other hours.
      [
        [use('a', 'acme', 0), use('b', 'acme', hour)],
        [use('b', 'acme', 0), use('a', 'acme', hour)],
      ],
      [
        [use('a', 'acme', 0), use('a', 'acme', hour, 'revoked')],
        [use('a', 'acme', 0, 'revoked'), use('a', 'acme', hour)],
      ],
    ] as const) {
      const [one, other] = [await rowsOf(ours), await rowsOf(theirs)]
      const both = one.filter((row) => other.includes(row))
      assert.ok(both.length > 1)
      assert.deepEqual(
        other.filter((row) => one.includes(row)),
        both,
      )
    }
    await store.close()
  },
)
