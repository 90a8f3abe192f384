import type { Proof } from './proof.ts'

/** What `timing` must find. */
export const faults: Proof['faults'] = {
  'known-hashed-again': {
    is: 'the refusal of a known key computes one hash more than that of an unknown key',
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
    is: 'each refusal is counted separately under its key, many of them within one call',
    edits: [
      {
        file: 'packages/latchkey/src/verify/usage.ts',
        text: '      const environments = inner(inner(keys, keyId), owner)\n',
        becomes:
          '      JSON.stringify([hour, keyId, owner, refusal.code])\n      const environments = inner(inner(keys, keyId), owner)\n',
      },
    ],
    shownBy: ['repeated'],
  },
}
