import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { LatchkeyError } from '../error.ts'
import { invalid } from '../options.ts'

/** A set of public keys, as `/.well-known/jwks.json` has it (RFC 7517 5). */
export interface KeySet {
  readonly keys: readonly { readonly kid?: string; readonly kty: string; readonly crv?: string; readonly x?: string }[]
}

/** Keys by their ids. */
export type Keys = ReadonlyMap<string, KeyObject>

/** The keys as they were read last. */
export interface ReadKeys {
  /** The keys; a promise where they must be read first. Rejects where they cannot be. */
  readonly current: (kid: string) => Keys | Promise<Keys>
}

/** Milliseconds: after these the keys are read anew beside the calls; before any call; and at most once in these. */
const times = { renew: 240_000, stale: 900_000, pause: 5000 }

/** Bytes of the longest set that is read, and milliseconds to wait for it. */
const bounds = { bytes: 65_536, timeout: 3000 }

/** The Ed25519 keys of a set that have an id; others are for other purposes. */
export function keysIn(set: unknown): Keys {
  const { keys } = (set ?? {}) as Partial<KeySet>
  if (!Array.isArray(keys)) throw invalid('keys', 'a JSON Web Key Set, or the address of one')
  const found = (keys as KeySet['keys']).filter(
    ({ kid, kty, crv }) => kid !== undefined && kty === 'OKP' && crv === 'Ed25519',
  )
  return new Map(
    found.map(({ kid = '', x = '' }) => [
      kid,
      createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    ]),
  )
}

/**
 * Reads the keys at an address when the first call comes, and again beside later calls, so that none waits for it. A call
 * waits only for a key that is not known, and where nothing could be read for a quarter of an hour: a key that was taken out
 * of the set is then no longer accepted.
 */
export function keysAt(
  address: string,
  { fetch, monotonic }: { readonly fetch: typeof globalThis.fetch; readonly monotonic: () => number },
): ReadKeys {
  let keys: Keys = new Map()
  let readAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<Keys> | undefined
  let fault: unknown

  async function read(): Promise<Keys> {
    triedAt = monotonic()
    try {
      const began = monotonic()
      const found = keysIn(await setAt(address, fetch))
      // A server that signs nothing, by mistake: what was read before is right until it is too old.
      if (found.size === 0) throw new Error('The set has no key that signs identities.')
      keys = found
      readAt = began
      fault = undefined
      return keys
    } catch (error) {
      fault = new LatchkeyError('unavailable', 'The keys that identities are signed with cannot be read.', {
        cause: error,
      })
      throw fault
    } finally {
      reading = undefined
    }
  }

  /** Reads them, unless somebody has tried to a moment ago: what strangers send must not ask another server for each. */
  function again(): Promise<Keys> | undefined {
    if (reading === undefined && monotonic() - triedAt >= times.pause) reading = read()
    return reading
  }

  return {
    current(kid) {
      const age = monotonic() - readAt
      if (age >= times.stale) return again() ?? Promise.reject(fault)
      if (!keys.has(kid)) return again() ?? keys
      // Beside the call. It is tried again with a later one.
      if (age >= times.renew) again()?.catch(() => undefined)
      return keys
    },
  }
}

async function setAt(address: string, fetch: typeof globalThis.fetch): Promise<unknown> {
  const answer = await fetch(address, {
    redirect: 'error',
    credentials: 'omit',
    signal: AbortSignal.timeout(bounds.timeout),
    headers: { accept: 'application/json' },
  })
  if (answer.status !== 200) throw new Error(`The answer has the status ${answer.status}.`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of (answer.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > bounds.bytes) throw new Error('The answer is too large.')
  }
  return JSON.parse(text)
}
