import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Keyring } from 'latchkey'
import { hashSecret, mint, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { wrongByOne } from './forgery.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { compare } from './welch.ts'

/** Credentials of each kind. */
const poolSize = 4096

/** Calls of each kind that are prepared, and then measured, at a time. */
const batch = 1000

/** Calls of each kind before the measurement, until everything is compiled and cached. */
const warmUp = 20_000

/** The bound of the test vector leakage assessment: a t beyond it is no accident. */
const threshold = 4.5

/** Credentials of one kind, as bytes from which each call gets a string of its own. */
type Pool = readonly Buffer[]

export const proof = defineProof({
  promise: 'The time of a refusal does not tell an unknown key from a revoked one, nor from one that is nearly right',
  takes: 'about a minute',
  sizes: { n: 300_000 },

  async prove({ sizes: { n }, seed, progress }) {
    const random = seeded(seed)
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-timing-'))
    const file = join(folder, 'keys.db')
    const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: {} })
    // Holds one credential at a time: every other one is looked up in the store, as one that is seen for the first time.
    const forgetful = await openKeyring({ store: sqliteStore({ file }), scopes: {}, cacheSize: 2 })
    try {
      progress(`issuing ${2 * poolSize} keys and revoking half of them`)
      const { unknown, revoked, near, others } = await makePools(keyring, random)

      const measured = measure({
        verify: keyring.verify,
        pools: [unknown, revoked, near, others],
        calls: n,
        random,
        progress,
      })
      const [ofUnknown, ofRevoked, ofNear, ofOthers] = measured as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ]

      progress('the planted leak')
      const leaky = (text: string): void => {
        const verdict = keyring.verify(text)
        // What a check takes that hashes once more where it knows the key.
        if (!(verdict instanceof Promise) && !verdict.ok && verdict.refusal.code === 'revoked') hashSecret(text)
      }
      const leaked = measure({ verify: leaky, pools: [unknown, revoked], calls: n, random, progress })

      progress('credentials that are seen for the first time')
      const calls = Math.ceil(n / 10)
      const cold = measure({ verify: forgetful.verify, pools: [unknown, revoked, near], calls, random, progress })

      const compared = {
        unknownRevoked: compare(ofUnknown, ofRevoked),
        unknownNear: compare(ofUnknown, ofNear),
        revokedNear: compare(ofRevoked, ofNear),
        null: compare(ofUnknown, ofOthers),
        planted: compare(leaked[0] as Float64Array, leaked[1] as Float64Array),
        firstUnknownRevoked: compare(cold[0] as Float64Array, cold[1] as Float64Array),
        firstUnknownNear: compare(cold[0] as Float64Array, cold[2] as Float64Array),
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
      await keyring.close()
      await forgetful.close()
      rmSync(folder, { recursive: true })
    }
  },
})

/** As many credentials of each kind: of no key, of a revoked one, wrong by one character, and again of no key. */
async function makePools(
  keyring: Keyring,
  random: Random,
): Promise<{ unknown: Pool; revoked: Pool; near: Pool; others: Pool }> {
  const issue = (): Promise<readonly { readonly key: { readonly id: string }; readonly secret: string }[]> =>
    Promise.all(Array.from({ length: poolSize }, () => keyring.issue({ name: 'Key', owner: 'acme', scopes: [] })))
  const live = await issue()
  const revoked = await issue()
  await Promise.all(revoked.map(({ key }) => keyring.revoke(key.id, { reason: 'other' })))
  // Live keys are in use while somebody guesses at them.
  for (const { secret } of live) await keyring.verify(secret)
  const made = (): Pool =>
    Array.from({ length: poolSize }, () => Buffer.from(mint({ prefix: 'lk', environment: 'live' })))
  return {
    unknown: made(),
    revoked: revoked.map(({ secret }) => Buffer.from(secret)),
    near: live.map(({ secret }) => Buffer.from(wrongByOne(random, secret))),
    others: made(),
  }
}

/** The nanoseconds of `calls` calls with credentials of each pool, in random order. */
function measure({
  verify,
  pools,
  calls,
  random,
  progress,
}: {
  verify: (text: string) => unknown
  pools: readonly Pool[]
  calls: number
  random: Random
  progress: (line: string) => void
}): readonly Float64Array[] {
  // Each once, side by side, so that all are cached and none of the kinds has a part of the memory for itself.
  for (let index = 0; index < poolSize; index++) {
    for (const pool of shuffled(pools, random)) verify(textOf(pool[index]))
  }
  const samples = pools.map(() => new Float64Array(calls))
  const scratch = pools.map(() => new Float64Array(batch))
  for (let done = 0; done < warmUp; done += batch) fill({ verify, pools, samples: scratch, random })
  for (let done = 0; done < calls; done += batch) {
    fill({ verify, pools, samples: samples.map((sample) => sample.subarray(done, done + batch)), random })
    if (done % 100_000 === 0 && done > 0) progress(`${done} of ${calls} calls of each of ${pools.length} kinds`)
  }
  return samples
}

/** Fills samples of one length with nanoseconds. Nothing is prepared between two calls that are measured. */
function fill({
  verify,
  pools,
  samples,
  random,
}: {
  verify: (text: string) => unknown
  pools: readonly Pool[]
  samples: readonly Float64Array[]
  random: Random
}): void {
  const kinds = shuffled(
    samples.flatMap((sample, kind) => Array.from(sample, () => kind)),
    random,
  )
  const texts = kinds.map((kind) => textOf(random.pick(pools[kind] ?? [])))
  const times = new Float64Array(kinds.length)
  for (let index = 0; index < texts.length; index++) {
    const text = texts[index] as string
    const began = performance.now()
    verify(text)
    times[index] = performance.now() - began
  }
  const filled = samples.map(() => 0)
  for (const [index, kind] of kinds.entries()) {
    const sample = samples[kind] as Float64Array
    const place = filled[kind] as number
    sample[place] = (times[index] as number) * 1e6
    filled[kind] = place + 1
  }
}

/** A string of its own, laid out like all the others: pieces and joints of strings take other times. */
function textOf(bytes: Buffer | undefined): string {
  return (bytes as Buffer).toString('latin1')
}

function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const copy = [...items]
  for (let index = copy.length - 1; index > 0; index--) {
    const other = random.below(index + 1)
    ;[copy[index], copy[other]] = [copy[other] as Item, copy[index] as Item]
  }
  return copy
}
