import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { chain } from '../../src/journal/chain.ts'
import type { Follower, Store } from '../../src/ports.ts'
import type { StoreUnderTest } from './store.ts'
import { inserting, newKey, touchedBy } from './store.ts'

/** Tests of how a store tells caches what has changed, and of when a change is settled. */
export function followerConformance(name: string, fresh: () => StoreUnderTest): void {
  describe(`followers: ${name}`, () => {
    const removals: (() => Promise<void>)[] = []
    after(async () => {
      for (const remove of removals) await remove()
    })

    /** Two instances on the same data. */
    async function instances(): Promise<readonly [Store, Store]> {
      const data = fresh()
      const stores = [await data.open(), await data.open()] as const
      removals.push(async () => {
        for (const store of stores) await store.close()
        await data.remove()
      })
      return stores
    }

    async function commitOne(store: Store): Promise<{ readonly seq: number; readonly hash: string }> {
      const [entry] = (await store.commit([inserting(newKey())], chain)) ?? []
      assert.ok(entry)
      return entry
    }

    /** A cache that has seen everything and applied it. */
    async function following(store: Store): Promise<Follower> {
      const follower = store.follow(() => {})
      const { head } = await follower.changesSince(undefined)
      if (head !== undefined) follower.applied(head)
      return follower
    }

    test('two followers of one store do not take what has changed from each other', async () => {
      const [ours, theirs] = await instances()
      const followers = [await following(ours), await following(ours)]
      const entries = await theirs.commit([inserting(newKey())], chain)
      for (const follower of followers) {
        assert.deepEqual((await follower.changesSince(undefined)).changed, touchedBy(entries))
        await follower.close()
      }
    })

    test('a change is not settled while a cache that has not applied it may have a lease', async () => {
      const [ours, theirs] = await instances()
      const follower = await following(ours)
      const { seq, hash } = await commitOne(theirs)
      const began = performance.now()
      const { instances: known, lapsed, lapsedInstances, waitedMs } = await theirs.settled(seq, hash)
      assert.ok(performance.now() - began >= ours.lease)
      assert.ok(waitedMs >= ours.lease)
      assert.deepEqual([lapsed, lapsedInstances.length], known === null ? [0, 0] : [1, 1])
      await follower.close()
    })

    test('a change that every cache has applied is settled, and none has lapsed', async () => {
      const [ours, theirs] = await instances()
      const follower = await following(ours)
      const head = await commitOne(theirs)
      const { changed } = await follower.changesSince(undefined)
      assert.equal(changed.length, 1)
      follower.applied(head)
      const { instances: known, confirmed, lapsed } = await theirs.settled(head.seq, head.hash)
      assert.deepEqual([confirmed, lapsed], [known ?? 0, 0])
      // So is one that was settled before, for a caller who finds that there is nothing to do.
      assert.equal((await ours.settled(head.seq)).lapsed, 0)
      await follower.close()
    })

    test('a cache that is closed is not waited for', async () => {
      const [ours, theirs] = await instances()
      const follower = await following(ours)
      await follower.close()
      const { seq, hash } = await commitOne(theirs)
      const { instances: known, lapsed } = await theirs.settled(seq, hash)
      assert.deepEqual([known ?? 0, lapsed], [0, 0])
    })
  })
}
