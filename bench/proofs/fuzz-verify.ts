import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { KeySource, Keyring } from 'latchkey'
import { openKeyring, settingsKey } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { testClock } from 'latchkey/testing'
import { mutate, mutationNames } from './mutations.ts'
import type { Random } from './random.ts'

/** A keyring, and what is known of its secrets. */
interface Target {
  readonly keyring: Keyring
  /** Secrets that must be accepted. */
  readonly live: readonly string[]
  /** Secrets that are not valid: revoked, expired, not yet valid, of another environment. */
  readonly dead: readonly string[]
}

/** The outcome of credentials that must all be refused, and of live ones in between. */
export interface VerifyFindings {
  readonly presented: number
  readonly accepted: number
  /** Neither yes nor no: a 503 over HTTP. */
  readonly unavailable: number
  readonly thrown: number
  readonly controls: number
  readonly controlsAccepted: number
  /** How many were refused for which reason. */
  readonly refusals: Readonly<Record<string, number>>
}

/** Live keys of a target, and dead ones of each kind. */
const keys = { live: 64, dead: 8 }

/** After how many credentials other work, such as an interruption, has its turn. */
const stretch = 10_000

/** Presents `n` wrong credentials to keyrings in this process, and now and then a right one. */
export async function fuzzVerify({
  n,
  random,
  progress,
}: {
  n: number
  random: Random
  progress: (line: string) => void
}): Promise<VerifyFindings> {
  // With a key from the settings credentials of any form are looked up, without one only well-formed ones.
  const secret = randomBytes(32).toString('base64')
  const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [] })
  const targets = [await openTarget([], []), await openTarget([source], [secret])]
  const found = { presented: 0, accepted: 0, unavailable: 0, thrown: 0, controls: 0, controlsAccepted: 0 }
  const refusals: Record<string, number> = {}

  while (found.presented < n) {
    const { keyring, live, dead } = random.pick(targets)
    if (random.chance(0.01)) {
      found.controls++
      if ((await keyring.verify(random.pick(live))).ok) found.controlsAccepted++
    }
    const name = random.pick(mutationNames)
    const based = random.chance(0.9) ? random.pick(live) : random.pick(dead)
    const text = random.chance(0.02) ? random.pick(dead) : mutate(random, name, based)
    if (live.includes(text)) continue
    found.presented++
    try {
      const credential = random.chance(0.5) ? text : keyring.credential?.(text)
      const verdict = await keyring.verify(credential)
      // The second call must not use values that the first call stored on the credential.
      const again = random.chance(0.1) ? await keyring.verify(credential) : verdict
      if (verdict.ok || again.ok) {
        found.accepted++
        progress(`accepted (${name}): ${JSON.stringify(text.slice(0, 100))}`)
      } else {
        const { code } = verdict.refusal
        refusals[code] = (refusals[code] ?? 0) + 1
        if (code === 'unavailable') found.unavailable++
      }
    } catch (error) {
      found.thrown++
      progress(`thrown (${name}): ${String(error)}`)
    }
    if (found.presented % stretch === 0) await turn()
    if (found.presented % 100_000 === 0) progress(`${found.presented} of ${n} credentials in process`)
  }
  await Promise.all(targets.map(({ keyring }) => keyring.close()))
  return { ...found, refusals }
}

async function openTarget(sources: readonly KeySource[], fromSettings: readonly string[]): Promise<Target> {
  const clock = testClock()
  const start = clock.now()
  const keyring: Keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes: {}, sources, clock })
  const issue = async (
    count: number,
    options: { notBefore?: number; expiresAt?: number; environment?: string } = {},
  ): Promise<readonly { readonly id: string; readonly secret: string }[]> => {
    const issued = Array.from({ length: count }, () =>
      keyring.issue({ name: 'Key', owner: 'acme', scopes: [], ...options }),
    )
    return (await Promise.all(issued)).map(({ key, secret }) => ({ id: key.id, secret }))
  }
  const live = await issue(keys.live)
  const revoked = await issue(keys.dead)
  await Promise.all(revoked.map(({ id }) => keyring.revoke(id, { reason: 'compromised' })))
  const dead = [
    ...revoked,
    ...(await issue(keys.dead, { expiresAt: start + 1 })),
    ...(await issue(keys.dead, { notBefore: start + 1_000_000 })),
    ...(await issue(keys.dead, { environment: 'test' })),
  ]
  clock.advance(1)
  const secrets = (issued: readonly { readonly secret: string }[]): readonly string[] =>
    issued.map(({ secret }) => secret)
  return { keyring, live: [...secrets(live), ...fromSettings], dead: secrets(dead) }
}
