import type { Proof } from './proof.ts'

const cache = 'packages/latchkey/src/verify/cache.ts'
const recent = 'packages/latchkey/src/verify/recent.ts'
const store = 'packages/latchkey/src/store/sqlite.ts'
const looks = 'packages/latchkey/src/store/sqlite/looks.ts'
const verify = 'packages/latchkey/src/verify/verify.ts'

/** What `revoke` must find. */
export const faults: Proof['faults'] = {
  'lease-ignored': {
    is: 'cached keys are used without a look at the journal',
    edits: [{ file: cache, text: 'clock.monotonic() < leaseEnd', becomes: 'leaseEnd > 0' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'kept-without-lease': {
    is: 'a credential that was accepted before is accepted without a look at the journal',
    edits: [
      { file: verify, text: 'call.seenBy !== undefined || !cache.current()', becomes: 'call.seenBy !== undefined' },
    ],
    shownBy: ['acceptedAfterAnswer'],
  },
  'kept-without-version': {
    is: 'a credential that was accepted before is accepted whatever has changed since',
    edits: [{ file: verify, text: ' || last.version !== cache.version()', becomes: '' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'answers-at-once': {
    is: 'a change is answered before the leases of other processes have run out',
    edits: [{ file: store, text: 'sleep(lease + 1)', becomes: 'sleep(0)' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'owner-overlooked': {
    is: 'a cached key is not forgotten when its owner is changed',
    edits: [{ file: recent, text: 'group.changed = true', becomes: 'group.changed = false' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'others-skipped': {
    is: 'after its own change, an instance treats earlier changes of others as seen',
    edits: [{ file: cache, text: 'first?.previous === (seen?.hash ?? genesis)', becomes: 'first !== undefined' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'restore-overlooked': {
    is: 'a journal that ends before the last head that was seen counts as unchanged',
    edits: [{ file: looks, text: '?.hash !== after.hash', becomes: '?.seq === 0' }],
    shownBy: ['acceptedAfterRestore'],
  },
  'hash-not-compared': {
    is: 'a journal with an entry of the number that was seen counts as the same journal',
    edits: [{ file: looks, text: '?.hash !== after.hash', becomes: '?.hash === undefined' }],
    shownBy: ['acceptedAfterRestore'],
  },
  'refused-held': {
    is: 'cached refusals are not forgotten when something changes',
    edits: [{ file: cache, text: 'const memories = [accepted, refused]', becomes: 'const memories = [accepted]' }],
    shownBy: ['rightRefused'],
  },
}
