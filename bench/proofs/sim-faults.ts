import type { Proof } from './proof.ts'

const cache = 'packages/latchkey/src/verify/cache.ts'
const member = 'packages/latchkey/src/propagation/member.ts'
const settling = 'packages/latchkey/src/propagation/settling.ts'
const propagation = 'packages/latchkey/src/propagation/propagation.ts'
const quota = 'packages/latchkey/src/verify/quota.ts'

/** What `sim` must find. */
export const faults: Proof['faults'] = {
  'wall-clock': {
    is: 'the wait for a lease is measured by a clock that can be set',
    edits: [
      {
        file: propagation,
        text: 'settlingOf({ table, lease, clock, after })',
        becomes: 'settlingOf({ table, lease, clock: { monotonic: () => (clock as Clock).now() }, after })',
      },
    ],
    shownBy: ['wrongAccepts'],
  },
  'looks-first': {
    is: 'an instance looks at the journal before it is registered',
    edits: [
      {
        file: member,
        text: 'id ??= await register()',
        becomes: 'const isNew = id === undefined\n      id ??= randomUUID()',
      },
      {
        file: member,
        text: 'if (isReplica) throw',
        becomes: `if (isNew) {
        table.register({ id, instance, former }).catch(() => {})
        former = id
        confirmed = undefined
      }
      if (isReplica) throw`,
      },
      { file: member, text: "if (row === 'present' &&", becomes: "if ((isNew || row === 'present') &&" },
    ],
    shownBy: ['wrongAccepts'],
  },
  'removed-at-once': {
    is: 'a member that was waited for is removed at once, not marked first',
    edits: [{ file: settling, text: "      await sleep(longest, 'background')\n", becomes: '' }],
    shownBy: ['wrongAccepts'],
  },
  'row-overlooked': {
    is: 'a lease is taken though the row of the member is gone',
    edits: [{ file: member, text: "row === 'present' &&", becomes: "row !== 'doomed' &&" }],
    shownBy: ['wrongAccepts'],
  },
  'doom-overlooked': {
    is: 'a lease is taken though the member is marked to be removed',
    edits: [{ file: member, text: "row === 'present' &&", becomes: "row !== 'absent' &&" }],
    shownBy: ['wrongAccepts'],
  },
  'over-a-gap': {
    is: 'an entry of a message is applied though others before it are missing',
    edits: [
      {
        file: cache,
        text: 'return first?.previous === (seen?.hash ?? genesis)',
        becomes: 'return first !== undefined && first.seq > (seen?.seq ?? 0)',
      },
    ],
    shownBy: ['wrongAccepts'],
  },
  'confirmed-first': {
    is: 'an entry of a message is confirmed a little before it is applied',
    edits: [
      {
        file: cache,
        text: 'if (continues(entries)) return apply(entries)',
        becomes: `if (last !== undefined && continues(entries)) {
      follower.applied(last)
      after(30, () => apply(entries))
      return
    }`,
      },
    ],
    shownBy: ['wrongAccepts'],
  },
  'kept-though-changed': {
    is: 'what was read before a change is kept in the cache after it',
    edits: [{ file: cache, text: '      if (since !== version) return\n', becomes: '' }],
    shownBy: ['wrongAccepts'],
  },
  'lease-from-answer': {
    is: 'a lease begins when the look is answered, not when it is asked for',
    edits: [{ file: cache, text: 'leaseEnd = began + lease', becomes: 'leaseEnd = clock.monotonic() + lease' }],
    shownBy: ['wrongAccepts'],
  },
  'fork-overlooked': {
    is: 'a look does not compare the hash of what was seen last',
    edits: [{ file: member, text: 'seen !== undefined && hashAtSeen !== seen.hash', becomes: 'false' }],
    shownBy: ['wrongAccepts'],
  },
  'message-not-chained': {
    is: 'the next entry of a message is applied, whatever entry it follows',
    edits: [
      {
        file: cache,
        text: 'return first?.previous === (seen?.hash ?? genesis)',
        becomes: 'return first?.seq === (seen?.seq ?? 0) + 1',
      },
    ],
    shownBy: ['wrongAccepts'],
  },
  'not-fenced': {
    is: 'after a failover a change does not wait for members that were lost by it',
    edits: [
      {
        file: settling,
        text: 'progress.isFenced && !trusted(progress, now)',
        becomes: 'trusted(progress, now) && false',
      },
    ],
    shownBy: ['wrongAccepts'],
  },
  'trusted-too-soon': {
    is: 'a change from before a failover trusts the new server once its own wait is over',
    edits: [
      {
        file: settling,
        text: 'incarnation = { name, since: now }',
        becomes: 'incarnation = { name, since: now - longest * 0.9 }',
      },
    ],
    shownBy: ['wrongAccepts'],
  },
  'no-margin': {
    is: 'the wait for a lease makes no allowance for clocks of different speed',
    edits: [{ file: settling, text: 'lease * 1.02 + 1', becomes: 'lease' }],
    shownBy: ['wrongAccepts'],
  },
  'unanswered-counts': {
    is: 'a call is accepted though nobody knows whether its cost was taken from the quota',
    edits: [
      {
        file: quota,
        text: 'store.spend(keyId, { cost, quota, period: periodStart(quota.refill, now) })',
        becomes:
          'Promise.resolve(store.spend(keyId, { cost, quota, period: periodStart(quota.refill, now) })).catch(() => 0)',
      },
    ],
    shownBy: ['overspent'],
  },
}
