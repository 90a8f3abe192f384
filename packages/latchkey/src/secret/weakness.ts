import { hash } from 'node:crypto'
import { longestCredential } from '../options.ts'
import type { importedHashes } from './hash.ts'

/** The shortest secret that is taken where its text is known, in characters. */
const shortestSecret = 16

/**
 * Texts that people write in place of a secret: these words (the short ones only if they stand alone), and rows of one
 * character.
 */
const fillers =
  /change(?:me)?|replace|insert|generate|enter|put|goes|before|your|secret|secure|passw(?:or)?d|api|key|token|here|this|value|string|random|long|example|sample|dummy|placeholder|default|super|admin|service|production|development|please|todo|fixme|testing|test|live|with|own|real|the|(?<![a-z0-9])(?:me|my|to|in|is|an?)(?![a-z0-9])|x{3,}|(.)\1{7,}/g

/** Letters that may be left over of a placeholder: a prefix, an article, a word that is not on the list. */
const mostLeftOver = 3

/** Characters in the order of the alphabet or the keyboard, which people type when any text will do. */
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

/**
 * Says what is wrong with a secret that a person made, as the end of a sentence; `undefined` if nothing was found. It
 * finds secrets that are too short or too long (16 to 1,024 characters), placeholders that were left standing, and
 * characters that a header cannot carry. It does not judge how well a secret was chosen. The answer repeats no part of
 * the secret.
 *
 * @example
 * weaknessOf('change-me-please') // 'looks like a placeholder'
 */
export function weaknessOf(secret: string): string | undefined {
  if (secret.length < shortestSecret) return `is shorter than ${shortestSecret} characters`
  if (secret.length > longestCredential) return `is longer than ${longestCredential} characters`
  // RFC 9110 5.5: no control characters, and white space at the ends is not part of a field's value.
  if (!/^[\x21-\x7e]+$/.test(secret)) return 'has characters that a header cannot carry as they are (use visible ASCII)'
  if (looksLikePlaceholder(secret)) return 'looks like a placeholder'
  return undefined
}

/** Words that people choose first as a secret. */
const words =
  'abc abcd abcdef admin administrator api apikey api-key api_key access asdf asdfgh autumn baseball batman change changeme ' +
  'change-me charlie client code computer connect correct dragon default demo dev donald dummy enter example flower football ' +
  'foo foobar freedom guest hello hunter hunter2 iloveyou jordan key letmein login lovely magic manager master michael ' +
  'monkey mustang mysecret mykey my-secret my-key ninja null orange oracle pass passw0rd password passwd pepper placeholder ' +
  'princess private prod production public qazwsx qwe qwer qwerty qwertyuiop root secret secretkey secret-key secret_key ' +
  'server service shadow soccer spring starwars summer sunshine super superman superuser staging system temp test testing ' +
  'test123 tester testkey test-key thomas todo token trustno1 undefined user username welcome whatever winter xxx xxxx ' +
  'your-api-key your-secret your_api_key zxcvbn zxcvbnm'

const endings = ['', '1', '12', '123', '1234', '12345', '123456', '!', '1!', '2024', '2025', '2026']

function* guesses(): Generator<string> {
  yield ''
  const visible = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))
  for (const one of visible) {
    yield one
    for (const other of visible) yield one + other
    for (let length = 3; length <= 16; length++) yield one.repeat(length)
  }
  for (let number = 0; number < 10_000; number++) yield String(number).padStart(3, '0')
  for (let length = 4; length <= 20; length++) yield '12345678901234567890'.slice(0, length)
  for (const word of words.split(' ')) {
    for (const spelt of [word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)]) {
      for (const ending of endings) yield spelt + ending
    }
  }
}

const guessed = new Map<(typeof importedHashes)[number], ReadonlySet<string>>()

/**
 * Whether a hash is that of one of some twenty thousand texts that an attacker would try first. If only the hash of a
 * secret is known, no more can be checked.
 */
export function isOfWeakSecret(secretHash: string, algorithm: (typeof importedHashes)[number]): boolean {
  let hashes = guessed.get(algorithm)
  if (hashes === undefined) {
    // Some 20 ms, once, and only where keys are imported.
    hashes = new Set(Array.from(guesses(), (text) => hash(algorithm, text, 'hex')))
    guessed.set(algorithm, hashes)
  }
  return hashes.has(secretHash)
}
