import type { Proof } from './proof.ts'

const keeping = 'packages/latchkey/src/store/refusing.ts'
const waiting = 'packages/latchkey/src/verify/waiting-refusals.ts'

/** What `refusals` must find. */
export const faults: Proof['faults'] = {
  'no-bound-for-a-key': {
    is: 'a key has no bound of its own, only all keys together',
    edits: [{ file: keeping, text: "key === '' ? strangers : perKey", becomes: "key === '' ? strangers : known" }],
    shownBy: ['lost', 'beyondBounds'],
  },
  'strangers-among-keys': {
    is: 'refusals without a known key take part in the bound for all keys',
    edits: [
      { file: keeping, text: "key === '' ? strangers : perKey", becomes: "key === '' ? known : perKey" },
      {
        file: 'packages/latchkey/src/store/sql.ts',
        text: "SELECT COUNT(*) AS count FROM latchkey_refusals WHERE key_id <> ''",
        becomes: 'SELECT COUNT(*) AS count FROM latchkey_refusals',
      },
      {
        file: 'packages/latchkey/src/store/sql.ts',
        text: "SELECT place FROM latchkey_refusals WHERE key_id <> '' ORDER BY place LIMIT $1",
        becomes: 'SELECT place FROM latchkey_refusals ORDER BY place LIMIT $1',
      },
      { file: keeping, text: "if (refusal.key !== '') uncounted++", becomes: 'uncounted++' },
    ],
    shownBy: ['lost'],
  },
  'one-queue': {
    is: 'what waits to be written has one bound, which one key can fill',
    edits: [{ file: waiting, text: "number >= (key === '' ? strangers : perKey)", becomes: 'number >= total' }],
    shownBy: ['lost'],
  },
  'lost-at-the-end': {
    is: 'what waits to be written when a keyring is closed is lost',
    edits: [
      {
        file: 'packages/latchkey/src/keyring/open.ts',
        text: 'await refusals.close()',
        becomes: 'await Promise.resolve()',
      },
    ],
    shownBy: ['lost'],
  },
}
