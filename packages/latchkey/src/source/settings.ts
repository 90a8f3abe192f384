import { timingSafeEqual } from 'node:crypto'
import { LatchkeyError } from '../error.ts'
import { bounds, membersOf, objectOf, text } from '../input.ts'
import { blankKey } from '../keyring/new-key.ts'
import type { KeySource, StoredKey } from '../ports.ts'
import { hashSecret } from '../secret/hash.ts'
import { parse } from '../secret/parse.ts'
import { weaknessOf } from '../secret/weakness.ts'

/** A key that is kept in the settings. */
export interface SettingsKeyOptions {
  /** The name of the setting, e.g. `SERVICE_API_KEY`. Becomes the name of the key. */
  readonly name: string
  /** At least 16 characters of visible ASCII. */
  readonly secret: string
  /** The scopes of the key, as the keyring declares them. */
  readonly scopes: readonly string[]
  /** The owner of the key; `settings` if left out. */
  readonly owner?: string
  /** `live` if left out. */
  readonly environment?: string
}

const settingsKeyOptions = membersOf<SettingsKeyOptions>({
  name: true,
  secret: true,
  scopes: true,
  owner: true,
  environment: true,
})

/**
 * Makes a source of one key from a secret in the settings, such as `SERVICE_API_KEY`. It suits the first day: the key has no
 * lifetime and no journal, and to revoke it you take it out of the settings and restart
 * (`docs/decisions/0008-keys-from-settings-are-a-source.md`). The source holds the hash of the secret, not the secret.
 *
 * @throws LatchkeyError `weak_key` unless `allowWeak` is true; the message names the setting and never its value.
 *   `invalid_input` for a name or an owner that no key may have.
 *
 * @example
 * const scopes = { 'process:run': 'Run the process' }
 * const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: ['process:run'] })
 * const keyring = await openKeyring({ store, scopes, sources: [source] })
 * const verdict = await keyring.verify(secret, { allOf: ['process:run'] })
 * console.log(verdict.ok) // true
 */
export function settingsKey(options: SettingsKeyOptions, checks: { readonly allowWeak?: boolean } = {}): KeySource {
  objectOf('The options of settingsKey', options, settingsKeyOptions)
  objectOf('The checks of settingsKey', checks, ['allowWeak'])
  const { allowWeak = false } = checks
  const { name, secret, scopes, owner = 'settings', environment = 'live' } = options
  const weakness = weaknessOf(secret)
  if (weakness !== undefined && !allowWeak) {
    const advice = 'Set it to a long random value, for instance the output of: openssl rand -base64 32'
    throw new LatchkeyError('weak_key', `${name} ${weakness}. ${advice}`)
  }
  text('name', name, bounds.label)
  text('owner', owner, bounds.label)
  const parsed = parse(secret)
  const hash = Buffer.from(hashSecret(secret))
  const key: StoredKey = Object.freeze({
    ...blankKey,
    id: `settings:${name}`,
    name,
    owner,
    environment,
    scopes,
    start: typeof parsed === 'object' ? parsed.start : '',
    createdAt: 0,
    salt: '',
    revision: 0,
  })
  return {
    keys: [key],
    bySecret(candidate) {
      return timingSafeEqual(Buffer.from(candidate), hash) ? key : undefined
    },
  }
}
