import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { noPostgres, testSchema } from '../../../../test/postgres.ts'
import { chain } from '../../src/journal/chain.ts'
import type { Store } from '../../src/ports.ts'
import { postgresStore } from '../../src/store/postgres.ts'
import { inserting, newKey } from '../conformance/store.ts'

/** What becomes of the connection on which the next COMMIT is sent. */
type Fate =
  /** It ends before the COMMIT has reached the server. */
  | 'before'
  /** It ends when the COMMIT is on its way. */
  | 'under way'
  /** It ends when the server has answered, and the answer is not passed on. */
  | 'after'
  /** The same, and no other connection is made from then on. */
  | 'for good'

const commit = Buffer.from('COMMIT\0')

/** Passes on what is said to a server and by it, except for a COMMIT with a fate. */
async function proxyTo(server: URL): Promise<{
  readonly address: string
  readonly meet: (fate: Fate) => void
  readonly close: () => Promise<unknown>
}> {
  let fate: Fate | undefined
  let isCut = false
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy()
      return
    }
    const upstream = connect(Number(server.port || 5432), server.hostname)
    let met: Fate | undefined
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    const end = (): void => {
      isCut = met === 'for good'
      client.resetAndDestroy()
      upstream.destroy()
    }
    client.on('data', (data) => {
      if (fate !== undefined && data.includes(commit)) [met, fate] = [fate, undefined]
      if (met === 'before') end()
      else {
        upstream.write(data, () => {
          if (met === 'under way') end()
        })
      }
    })
    upstream.on('data', (data) => {
      if (met === undefined) client.write(data)
      else end()
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = new URL(server)
  address.port = String((proxy.address() as AddressInfo).port)
  address.hostname = '127.0.0.1'
  return {
    address: address.href.replaceAll('+', '%20'),
    meet: (next) => void (fate = next),
    async close() {
      for (const socket of sockets) socket.destroy()
      const closed = once(proxy, 'close')
      proxy.close()
      return closed
    },
  }
}

test(
  'a commit whose answer is lost is answered as it has ended, and is made once or not at all',
  { skip: noPostgres },
  async (context) => {
    const schema = await testSchema()
    const proxy = await proxyTo(new URL(schema.address))
    const direct = await postgresStore({ pool: schema.pool, listen: false })
    const store = await postgresStore({ pool: schema.another({ connectionString: proxy.address }), listen: false })
    context.after(async () => {
      await store.close()
      await direct.close()
      await proxy.close()
      await schema.remove()
    })
    /** The answer to a commit, and how many entries the journal has of it. */
    const ending = async (fate: Fate, through: Store = store): Promise<readonly [string, number]> => {
      const made = newKey()
      proxy.meet(fate)
      const answer = await Promise.resolve(through.commit([inserting(made)], chain)).then(
        (entries) => `${entries?.length}`,
        (error: { readonly code?: string }) => `${error.code}`,
      )
      const { rows } = await schema.pool.query('SELECT 1 FROM latchkey_journal WHERE subject = $1', [made.key.id])
      const isThere = (await direct.byId(made.key.id)) !== undefined
      assert.equal(rows.length, isThere ? 1 : 0)
      return [answer, rows.length]
    }
    assert.deepEqual(await ending('before'), ['unavailable', 0])
    assert.deepEqual(await ending('after'), ['1', 1])
    for (let round = 0; round < 10; round++) {
      const [answer, entries] = await ending('under way')
      assert.deepEqual([answer, entries], entries === 1 ? ['1', 1] : ['unavailable', 0])
    }
    // Made again with the same id it does nothing.
    const made = newKey()
    proxy.meet('after')
    assert.equal((await store.commit([inserting(made)], chain))?.length, 1)
    const again = await Promise.resolve(store.commit([inserting(made)], chain)).catch(() => undefined)
    assert.equal(again, undefined)
    assert.equal(
      (await schema.pool.query('SELECT 1 FROM latchkey_journal WHERE subject = $1', [made.key.id])).rowCount,
      1,
    )
    assert.deepEqual(await ending('for good'), ['outcome_unknown', 1])
  },
)
