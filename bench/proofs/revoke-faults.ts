import type { Proof } from './proof.ts'

const cache = 'packages/latchkey/src/verify/cache.ts'
const store = 'packages/latchkey/src/store/sqlite.ts'

/** What `revoke` must find. */
export const faults: Proof['faults'] = {
  'lease-ignored': {
    is: 'what is held in memory is used without a look at the journal',
    edits: [{ file: cache, text: 'clock.monotonic() < leaseEnd', becomes: 'leaseEnd > 0' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'answers-at-once': {
    is: 'a change is answered before the leases of others have run out',
    edits: [{ file: store, text: 'await sleep(lease + 1)', becomes: 'await sleep(0)' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'owner-overlooked': {
    is: 'what is held of a key is not forgotten when its owner is changed',
    edits: [{ file: cache, text: ' || outdated.has(ownerSubject)', becomes: '' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'others-skipped': {
    is: 'with a change of its own an instance takes those of others before it for seen',
    edits: [{ file: cache, text: 'first?.previous === (seen?.hash ?? genesis)', becomes: 'first !== undefined' }],
    shownBy: ['acceptedAfterAnswer'],
  },
  'restore-overlooked': {
    is: 'a journal that ends before what was seen counts as one without news',
    edits: [{ file: store, text: '?.hash !== after.hash', becomes: '?.seq === 0' }],
    shownBy: ['acceptedAfterRestore'],
  },
  'hash-not-compared': {
    is: 'a journal that has an entry of the number that was seen counts as the same',
    edits: [{ file: store, text: '?.hash !== after.hash', becomes: '?.hash === undefined' }],
    shownBy: ['acceptedAfterRestore'],
  },
  'refused-held': {
    is: 'what is held of refused secrets is not forgotten when something changes',
    edits: [{ file: cache, text: 'refused.clear()', becomes: '' }],
    shownBy: ['rightRefused'],
  },
}
