import type { Store } from '../../src/ports.ts'

/** A store that counts how often a secret was looked for, and fails while it is told to. */
export interface CountingStore extends Store {
  reads: number
  looks: number
  failing: boolean
}

/** Watches a store. */
export function countingStore(store: Store): CountingStore {
  const counting: CountingStore = {
    ...store,
    reads: 0,
    looks: 0,
    failing: false,
    bySecret(hash) {
      counting.reads++
      if (counting.failing) throw new Error('the disk is gone')
      return store.bySecret(hash)
    },
    follow(wake) {
      const follower = store.follow(wake)
      return {
        ...follower,
        changesSince(after) {
          counting.looks++
          if (counting.failing) throw new Error('the disk is gone')
          return follower.changesSince(after)
        },
      }
    },
  }
  return counting
}
