import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Store } from '../../src/ports.ts'
import { codeOf, openOn, shop, speeds } from '../keyring/workbench.ts'

/** What a store says of a write, too late: that it is done, that it is not, or never anything. */
const ends = ['done', 'failed', 'never answered'] as const

type Write = (...args: readonly unknown[]) => unknown

/** The first call of a write is answered only when a test says so, which is after the caller has given it up. */
function lateWrite(write: Write): { readonly write: Write; readonly end: (how: (typeof ends)[number]) => void } {
  const answer = Promise.withResolvers<unknown>()
  let first: readonly unknown[] | undefined
  return {
    write(...args) {
      if (first !== undefined) return write(...args)
      first = args
      return answer.promise
    },
    end(how) {
      if (how === 'done') answer.resolve(write(...(first ?? [])))
      if (how === 'failed') answer.reject(new Error('the disk is full'))
    },
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn()
}

for (const end of ends) {
  test(`a write that was given up, and then is ${end}, counts each call and each refusal once at most`, async () => {
    let usage: ReturnType<typeof lateWrite> | undefined
    let refusals: ReturnType<typeof lateWrite> | undefined
    const late = (store: Store): Store => {
      usage = lateWrite(store.recordUsage as Write)
      refusals = lateWrite(store.recordRefusals as Write)
      return { ...store, recordUsage: usage.write as never, recordRefusals: refusals.write as never }
    }
    const { keyring } = await openOn(late, { storeTimeout: 1 })
    const { key, secret } = await keyring.issue(shop)
    await keyring.verify(secret)
    const refused = await keyring.verify(secret, { environment: 'test' })
    assert.ok(!refused.ok)
    keyring.noteRefusal?.(refused, { requestId: 'request-1' })
    await assert.rejects(keyring.flushUsage(), { code: 'unavailable' })
    usage?.end(end)
    refusals?.end(end)
    await turns()
    await keyring.verify(secret)
    await keyring.flushUsage()
    const counted = (await keyring.usage({ key: key.id })).usage.map(({ outcome, count }) => [outcome, count])
    const both = [
      ['accepted', 2],
      ['wrong_environment', 1],
    ]
    assert.deepEqual(counted, end === 'never answered' ? [['accepted', 1]] : both)
    const kept = (await keyring.refusals({ key: key.id })).refusals.map(({ count }) => count)
    assert.deepEqual(kept, end === 'never answered' ? [] : [1])
    await keyring.close()
  })
}

for (const [speed, shape] of speeds) {
  describe(`on a store that answers ${speed}`, () => {
    test('a first use that is refused in the end is counted as refused, and not as accepted too', async () => {
      let failing = false
      const { keyring, clock } = await openOn((store) => {
        const shaped = shape(store)
        const noteFirstUse: Store['noteFirstUse'] = async (hash, at) => {
          const noted = await shaped.noteFirstUse(hash, at)
          failing = true
          return noted
        }
        const bySecret: Store['bySecret'] = (hash) => {
          if (failing) throw new Error('the store is gone')
          return shaped.bySecret(hash)
        }
        return { ...shaped, noteFirstUse, bySecret }
      })
      const limits = [{ name: 'trial', limit: 1, window: 60, reportOnly: true }]
      const { key } = await keyring.issue({ ...shop, limits })
      clock.advance(1)
      const { secret } = await keyring.rotate(key.id)
      assert.equal(await codeOf(keyring.verify(secret, { cost: 2 })), 'unavailable')
      failing = false
      assert.equal(await codeOf(keyring.verify(secret, { cost: 2 })), 'accepted')
      await keyring.flushUsage()
      assert.deepEqual(
        (await keyring.usage()).usage.map(({ outcome, count }) => [outcome, count]),
        [
          ['unavailable', 1],
          ['accepted', 1],
          ['over_limit_reported', 1],
        ],
      )
      await keyring.close()
    })
  })
}
