import type { Proof } from './proof.ts'

const verify = 'packages/latchkey/src/verify/verify.ts'

/** What `rotate` must find. */
export const faults: Proof['faults'] = {
  'ends-late': {
    is: 'an old secret works in the first millisecond in which it should not',
    edits: [{ file: verify, text: 'now >= active.endsAt', becomes: 'now > active.endsAt' }],
    shownBy: ['acceptedLate'],
  },
  'ends-early': {
    is: 'an old secret ends a millisecond before its time',
    edits: [{ file: verify, text: 'now >= active.endsAt', becomes: 'now >= active.endsAt - 1' }],
    shownBy: ['refusedEarly'],
  },
  'last-writer-wins': {
    is: 'a change does not ask whether the key is still what it was when it was read',
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
