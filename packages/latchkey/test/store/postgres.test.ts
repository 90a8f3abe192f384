import { after, test } from 'node:test'
import { noPostgres, testSchema } from '../../../../test/postgres.ts'
import type { TestSchema } from '../../../../test/postgres.ts'
import { postgresStore } from '../../src/store/postgres.ts'
import { followerConformance } from '../conformance/follower.ts'
import { listConformance } from '../conformance/list.ts'
import type { StoreUnderTest } from '../conformance/store.ts'
import { storeConformance } from '../conformance/store.ts'
import { usageConformance } from '../conformance/usage.ts'

/** The data that conformance tests work on. */
function fresh(listen: boolean): StoreUnderTest {
  let schema: Promise<TestSchema> | undefined
  const data = async (): Promise<TestSchema> => (schema ??= testSchema())
  return {
    overwrites: false,
    open: async () => postgresStore({ pool: (await data()).pool, listen }),
    async backup() {
      const { pool, name } = await data()
      const { rows } = await pool.query<{ name: string }>(
        `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_name <> 'latchkey_members'`,
        [name],
      )
      const names = rows.map((table) => table.name)
      for (const table of names) await pool.query(`CREATE TABLE "copy ${table}" AS TABLE ${table}`)
      // As `pg_restore --data-only --disable-triggers` does, in one transaction.
      return async () => {
        const fill = names.map((table) => `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM "copy ${table}"`)
        await pool.query(`BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE ${names.join(', ')} CASCADE;
          ${fill.join('; ')}; COMMIT`)
      }
    },
    remove: async () => (await data()).remove(),
  }
}

if (noPostgres === false) {
  // Lists are asked of very many stores, one after the other: each finds the same tables, and nothing in them.
  const shared = await testSchema()
  after(shared.remove)
  storeConformance('PostgreSQL', () => fresh(false))
  followerConformance('PostgreSQL', () => fresh(true))
  usageConformance('PostgreSQL', () => fresh(false))
  listConformance('PostgreSQL', async () => {
    const store = await postgresStore({ pool: shared.pool, listen: false })
    await shared.pool.query(`TRUNCATE latchkey_keys, latchkey_owners, latchkey_journal, latchkey_journal_owners,
      latchkey_usage, latchkey_counts CASCADE; UPDATE latchkey_head SET seq = 0, hash = ''`)
    return store
  })
} else {
  test('the store on PostgreSQL', { skip: noPostgres }, () => {})
}
