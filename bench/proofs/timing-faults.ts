import type { Proof } from './proof.ts'

/** What `timing` must find. */
export const faults: Proof['faults'] = {
  'known-hashed-again': {
    is: 'a refusal of a key that is known hashes once more than one of a key that is not',
    edits: [
      {
        file: 'packages/latchkey/src/verify/verify.ts',
        text: 'const { owner, environment } = refused\n',
        becomes:
          'const { owner, environment } = refused\n  if (refused.keyId !== undefined) hashSecret(refused.keyId)\n',
      },
    ],
    shownBy: ['unknownRevoked', 'revokedNear'],
  },
  'counted-one-by-one': {
    is: 'each refusal is counted under the name of its key, many of them in the time of one call',
    edits: [
      {
        file: 'packages/latchkey/src/verify/usage.ts',
        text: '      const keys = inner(together, refusal.code)\n',
        becomes:
          '      JSON.stringify([hour, keyId, owner, refusal.code])\n      const keys = inner(together, refusal.code)\n',
      },
    ],
    shownBy: ['repeated'],
  },
}
