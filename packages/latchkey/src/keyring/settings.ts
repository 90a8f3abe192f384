import { timingSafeEqual } from 'node:crypto'
import { LatchkeyError } from '../error.ts'
import { hashSecret } from '../key/hash.ts'
import { parse } from '../key/parse.ts'
import type { KeySource, StoredKey } from '../ports.ts'
import { bounds, membersOf, plain, text } from './input.ts'
import { longestCredential } from './verify.ts'

/** The shortest secret that a setting may hold, in characters. */
const shortestSecret = 16

/**
 * What people write where a secret should stand: such words, short ones only where they stand alone, and rows of one
 * character.
 */
const fillers =
  /change(?:me)?|replace|insert|generate|enter|put|goes|before|your|secret|secure|passw(?:or)?d|api|key|token|here|this|value|string|random|long|example|sample|dummy|placeholder|default|super|admin|service|production|development|please|todo|fixme|testing|test|live|with|own|real|the|(?<![a-z0-9])(?:me|my|to|in|is|an?)(?![a-z0-9])|x{3,}|(.)\1{7,}/g

/** Letters that may be left over of a placeholder: a prefix, an article, a word that is not on the list. */
const mostLeftOver = 3

/** What fingers write when they must write something. */
const runs = [
  '0123456789'.repeat(2),
  '1234567890'.repeat(2),
  '0123456789abcdef'.repeat(2),
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
]

function looksLikePlaceholder(secret: string): boolean {
  const lower = secret.toLowerCase()
  if (new Set(lower).size < 5 || /^(?:<.*>|\$?\{.*\}|\[.*\])$/.test(lower)) return true
  if (runs.some((run) => run.includes(lower) || lower.startsWith(run.slice(0, shortestSecret)))) return true
  const rest = lower.replaceAll(fillers, '')
  return rest !== lower && rest.replaceAll(/[^a-z]/g, '').length <= mostLeftOver
}

/** A key that is kept in the settings. */
export interface SettingsKeyOptions {
  /** The name of the setting, e.g. `SERVICE_API_KEY`. Becomes the name of the key. */
  readonly name: string
  readonly secret: string
  readonly scopes: readonly string[]
  /** Whom the key belongs to; `settings` if left out. */
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
 * What is wrong with a secret from the settings, as the end of a sentence, or `undefined` if nothing is. Says nothing
 * that the secret could be told from.
 */
function weaknessOf(secret: string): string | undefined {
  if (secret.length < shortestSecret) return `is shorter than ${shortestSecret} characters`
  if (secret.length > longestCredential) return `is longer than ${longestCredential} characters`
  // RFC 9110 5.5: no control characters, and white space at the ends is not part of a field's value.
  if (!/^[\x21-\x7e]+$/.test(secret)) return 'has characters that a header cannot carry as they are (use visible ASCII)'
  if (looksLikePlaceholder(secret)) return 'looks like a placeholder'
  return undefined
}

/**
 * One key from the settings as a source for a keyring, held as a hash. For the first day: it has no lifetime and no
 * journal, and is revoked by taking it out of the settings and restarting.
 *
 * @throws LatchkeyError `weak_key` unless `allowWeak`; the message names the setting and never the value.
 *   `invalid_input` for a name or an owner that no key may have.
 *
 * @example
 * const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: ['process:run'] })
 * const keyring = await openKeyring({ store, scopes, sources: [source] })
 */
export function settingsKey(
  options: SettingsKeyOptions,
  { allowWeak = false }: { allowWeak?: boolean } = {},
): KeySource {
  plain('The options of settingsKey', options, settingsKeyOptions)
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
    id: `settings:${name}`,
    name,
    owner,
    environment,
    scopes,
    metadata: {},
    start: typeof parsed === 'object' ? parsed.start : '',
    createdAt: 0,
    notBefore: null,
    expiresAt: null,
    addresses: null,
    limits: [],
    quota: null,
    delegation: null,
    disabledAt: null,
    disabledBy: null,
    revokedAt: null,
    revokedReason: null,
    revokedNote: null,
    revision: 0,
  })
  return {
    keys: [key],
    bySecret(candidate) {
      return timingSafeEqual(Buffer.from(candidate), hash) ? key : undefined
    },
  }
}
