import type { Proof } from './proof.ts'

const verify = 'packages/latchkey/src/verify/verify.ts'

/** What `rotate` must find. */
export const faults: Proof['faults'] = {
  'ends-late': {
    is: 'an old secret works one millisecond too long',
    edits: [{ file: verify, text: 'now >= endsAt', becomes: 'now > endsAt' }],
    shownBy: ['acceptedLate'],
  },
  'ends-early': {
    is: 'an old secret ends one millisecond too early',
    edits: [{ file: verify, text: 'now >= endsAt', becomes: 'now >= endsAt - 1' }],
    shownBy: ['refusedEarly'],
  },
  'last-writer-wins': {
    is: 'a change does not check whether the key has changed since it was read',
    edits: [
      {
        file: 'packages/latchkey/src/store/key-columns.ts',
        text: 'WHERE id = $1 AND revision = $2',
        becomes: 'WHERE id = $1 AND revision >= 0 * $2',
      },
    ],
    shownBy: ['racesNotWon', 'secretsWrong'],
  },
}
