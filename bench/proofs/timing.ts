import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Keyring } from 'latchkey'
import { hashSecret, mint, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { wrongByOne } from './forgery.ts'
import { faults } from './timing-faults.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import type { Pools, Subject } from './timing-measure.ts'
import { measure } from './timing-measure.ts'
import { compare } from './welch.ts'

/** Keys of each state in the database. */
const keys = 4096

/** Credentials of each kind in one block. */
const poolSize = 512

/** The bound of the test vector leakage assessment: a t beyond it is no accident. */
const threshold = 4.5

export const proof = defineProof({
  promise: 'The time of a refusal does not tell an unknown key from a revoked one, nor from one that is nearly right',
  takes: 'about a minute',
  sizes: { n: 300_000 },
  faults,
  faultSizes: { n: 10_000 },

  async prove({ sizes: { n }, seed, progress }) {
    const random = seeded(seed)
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-timing-'))
    const file = join(folder, 'keys.db')
    const openAgain = (cacheSize: number): Promise<Keyring> => {
      return openKeyring({ store: sqliteStore({ file }), scopes: {}, cacheSize })
    }
    try {
      progress(`issuing ${2 * keys} keys and revoking half of them`)
      const { live, revoked } = await issueKeys(await openAgain(2))
      const draw = (): Pools => drawPools({ live, revoked, random })

      const warm = async (): Promise<Keyring> => {
        const keyring = await openAgain(50_000)
        // Live keys are in use while somebody guesses at them.
        for (const secret of live) await keyring.verify(secret)
        return keyring
      }
      const [unknown, ofRevoked, near, others] = await measure({ open: warm, draw, calls: n, random, progress })

      progress('the same with a planted leak')
      const leaking = async (): Promise<Subject> => {
        const keyring = await warm()
        return { verify: leaky(keyring), close: keyring.close }
      }
      const [leakyUnknown, leakyRevoked] = await measure({ open: leaking, draw, calls: n, random, progress })

      progress('credentials that are seen for the first time')
      // With room for next to nothing in its cache, a keyring looks up every credential in the store.
      const cold = (): Promise<Subject> => openAgain(2)
      const [first, firstRevoked, firstNear] = await measure({ open: cold, draw, calls: n / 10, random, progress })

      const compared = {
        unknownRevoked: compare(unknown, ofRevoked),
        unknownNear: compare(unknown, near),
        revokedNear: compare(ofRevoked, near),
        null: compare(unknown, others),
        planted: compare(leakyUnknown, leakyRevoked),
        firstUnknownRevoked: compare(first, firstRevoked),
        firstUnknownNear: compare(first, firstNear),
      }
      const figures = Object.fromEntries(Object.entries(compared).map(([name, { t }]) => [name, t]))
      const crops = Object.fromEntries(Object.entries(compared).map(([name, comparison]) => [name, comparison.crops]))
      return {
        figures,
        required: {
          unknownRevoked: { below: threshold },
          unknownNear: { below: threshold },
          revokedNear: { below: threshold },
          // A harness that sees what is not there, or does not see what is, shows nothing.
          null: { below: threshold },
          planted: { atLeast: threshold },
        },
        details: { crops },
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
})

async function issueKeys(keyring: Keyring): Promise<{ live: readonly string[]; revoked: readonly string[] }> {
  const issue = (): Promise<readonly { readonly key: { readonly id: string }; readonly secret: string }[]> =>
    Promise.all(Array.from({ length: keys }, () => keyring.issue({ name: 'Key', owner: 'acme', scopes: [] })))
  const live = await issue()
  const revoked = await issue()
  await Promise.all(revoked.map(({ key }) => keyring.revoke(key.id, { reason: 'other' })))
  await keyring.close()
  return { live: live.map(({ secret }) => secret), revoked: revoked.map(({ secret }) => secret) }
}

/** Of no key; of a revoked one; wrong by one character; and again of no key, for the comparison that must show nothing. */
function drawPools({
  live,
  revoked,
  random,
}: {
  live: readonly string[]
  revoked: readonly string[]
  random: Random
}): Pools {
  const pool = (credential: () => string): readonly string[] => Array.from({ length: poolSize }, credential)
  const unknown = (): string => mint({ prefix: 'lk', environment: 'live' })
  return [
    pool(unknown),
    pool(() => random.pick(revoked)),
    pool(() => wrongByOne(random, random.pick(live))),
    pool(unknown),
  ]
}

/** A verifier that hashes once more where it knows the key: less than a thousandth of a millisecond. */
function leaky(keyring: Pick<Keyring, 'verify'>): (text: string) => unknown {
  return (text) => {
    const verdict = keyring.verify(text)
    if (!(verdict instanceof Promise) && !verdict.ok && verdict.refusal.code === 'revoked') hashSecret(text)
    return verdict
  }
}
