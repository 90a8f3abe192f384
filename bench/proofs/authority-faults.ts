import type { Proof } from './proof.ts'

const commit = 'packages/latchkey/src/store/commit.ts'

/** What `authority` must find. */
export const faults: Proof['faults'] = {
  'not-in-the-commit': {
    is: 'the authority of an admin key is checked before a change, and not again at its commit',
    edits: [
      { file: commit, text: 'authority !== undefined && !(yield* holds(authority))', becomes: 'authority === null' },
    ],
    shownBy: ['entriesAfterTheEnd'],
  },
  'owner-overlooked': {
    is: 'the commit does not check whether the owner of the admin key was disabled meanwhile',
    edits: [
      {
        file: 'packages/latchkey/src/store/sql.ts',
        text: 'AND COALESCE(o.revision, 0) = $3',
        becomes: 'AND $3 >= 0',
      },
    ],
    shownBy: ['entriesAfterTheEnd'],
  },
  'expiry-overlooked': {
    is: 'the commit does not check whether the admin key has expired meanwhile',
    edits: [{ file: commit, text: 'if (expiresAt !== null && now() >= expiresAt) return false', becomes: '' }],
    shownBy: ['entriesAfterTheEnd'],
  },
  'issuing-left-out': {
    is: 'only changes of keys carry the condition into the commit, and issuing does not',
    edits: [
      {
        file: 'packages/latchkey/src/keyring/create.ts',
        text: '{ idempotent, authority: authority.witness }',
        becomes: '{ idempotent }',
      },
    ],
    shownBy: ['entriesAfterTheEnd'],
  },
}
