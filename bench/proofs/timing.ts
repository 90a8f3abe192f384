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
import { slowestOfRepeated } from './timing-repeated.ts'
import type { Comparison } from './welch.ts'
import { compare } from './welch.ts'

/** Keys of each state in the database. */
const keys = 4096

/** Credentials of each kind in one block. */
const poolSize = 512

/** The bound of the test vector leakage assessment: a t beyond it is no accident. */
const threshold = 4.5

/**
 * Nanoseconds by which refusals may differ. Where a cached object lies in memory depends on what was done when it was
 * made, and makes some nanoseconds in the slowest tenth of the calls; one more SHA-256 is some hundreds.
 */
const mostApart = 25

/** The same of what is done once for many calls. */
const mostApartRepeated = 5000

export const proof = defineProof({
  promise:
    'Refusals of an unknown key, a revoked one and one that is nearly right are less than 25 ns apart, in the mean of any share of the calls; ' +
    'of many in a row, the slowest are less than 5 µs apart',
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
        // Live keys are in use while an attacker guesses.
        for (const secret of live) await keyring.verify(secret)
        return keyring
      }
      const [unknown, ofRevoked, near, others] = await measure({ open: warm, draw, calls: n, random, progress })

      progress('one credential many times in a row')
      const asked = await warm()
      const repeated = slowestOfRepeated(asked, [mint({ prefix: 'lk', environment: 'live' }), revoked[0] ?? ''])
      await asked.close()

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
      const apart = Object.fromEntries(
        Object.entries(compared).map(([name, comparison]) => [name, apartBy(comparison)]),
      )
      const t = Object.fromEntries(Object.entries(compared).map(([name, comparison]) => [name, comparison.t]))
      const crops = Object.fromEntries(Object.entries(compared).map(([name, comparison]) => [name, comparison.crops]))
      return {
        figures: {
          ...apart,
          null: compared.null.t,
          repeated: Math.abs((repeated[0] ?? 0) - (repeated[1] ?? Infinity)),
        },
        required: {
          unknownRevoked: { below: mostApart },
          unknownNear: { below: mostApart },
          revokedNear: { below: mostApart },
          repeated: { below: mostApartRepeated },
          // A harness that sees what is not there, or does not see what is, shows nothing.
          null: { below: threshold },
          planted: { atLeast: mostApart },
        },
        details: { t, repeated, crops },
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
    // Each once: what is sent twice as often as the rest is found twice as quickly.
    someOf(revoked, poolSize, random),
    pool(() => wrongByOne(random, random.pick(live))),
    pool(unknown),
  ]
}

function someOf(all: readonly string[], count: number, random: Random): readonly string[] {
  const left = [...all]
  return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0] ?? '')
}

/** By how many nanoseconds two kinds are apart, in the share of the fastest calls in which they are most. Not in all: the slowest wait for others. */
function apartBy({ crops }: Comparison): number {
  const shares = Object.entries(crops).filter(([share]) => Number(share) < 1)
  // Where there is nothing to compare they are not the same.
  return shares.length === 0 ? Infinity : Math.max(...shares.map(([, { slower }]) => Math.abs(slower)))
}

/** A verifier that hashes once more where it knows the key: less than a thousandth of a millisecond. */
function leaky(keyring: Pick<Keyring, 'verify'>): (text: string) => unknown {
  return (text) => {
    const verdict = keyring.verify(text)
    if (!(verdict instanceof Promise) && !verdict.ok && verdict.refusal.code === 'revoked') hashSecret(text)
    return verdict
  }
}
