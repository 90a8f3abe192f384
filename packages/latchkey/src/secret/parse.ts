import { isBase62 } from './base62.ts'
import { hasChecksum } from './checksum.ts'

/** How many characters follow prefix and environment: 32 random ones and 6 of checksum. */
export const tailLength = 38

/** The most characters in a prefix, or in the name of an environment. */
export const longestName = 16

/** Prefix and environment are lower case, so that no spelling but one is ever right. */
const name = `[a-z][a-z0-9]{0,${longestName - 1}}`

/**
 * The pattern of a prefix, and of the name of an environment: 1 to 16 lower-case letters and digits, a letter first.
 */
export const namePattern: RegExp = new RegExp(`^${name}$`)

/** The end of a text that could be the prefix and the environment of a minted secret. */
export const headAtEnd: RegExp = new RegExp(`${name}_${name}_$`)

/** The shape of a minted secret. */
const shape = new RegExp(`^(${name})_(${name})_[0-9A-Za-z]{${tailLength}}$`)

/** A word of the shape of a minted secret, anywhere in a text. The checksum is not looked at, so a mistyped one counts. */
export const secretPattern: RegExp = new RegExp(
  `(?<![0-9A-Za-z])${name}_${name}_[0-9A-Za-z]{${tailLength}}(?![0-9A-Za-z])`,
)

/** How many characters of the random part belong to the start that people are shown. */
const shown = 4

/** The parts of a minted secret that may be shown: its prefix, its environment, and the first characters of it. */
export interface ParsedSecret {
  readonly prefix: string
  readonly environment: string
  /** For people who compare it with the secret they hold, e.g. `lk_live_3fA9`. */
  readonly start: string
}

/**
 * Reads the parts of a minted secret that may be shown. Answers `malformed` when the text has another shape, and `mistyped`
 * when only its checksum is wrong. Needs no store and no network. The text is taken as it is, untrimmed and undecoded, so
 * that every secret has one spelling.
 *
 * @example
 * const parsed = parse(secret)
 * if (typeof parsed === 'object') console.log(parsed.environment, parsed.start)
 * parse('lk_live_not-a-secret') // 'malformed'
 */
export function parse(text: string): ParsedSecret | 'malformed' | 'mistyped' {
  const match = shape.exec(text)
  if (match === null) return 'malformed'
  if (!hasChecksum(text)) return 'mistyped'
  const [, prefix, environment] = match as unknown as [string, string, string]
  return { prefix, environment, start: text.slice(0, prefix.length + environment.length + 2 + shown) }
}

/** The kind of a credential, as far as its text alone shows. */
type Form = 'minted' | 'mistyped' | 'malformed'

/** Recognises the form of credentials for one keyring. */
export interface FormReader {
  (text: string): Form
  /**
   * Whether it has the length and the prefix of a minted secret. A text without them is malformed. This check costs a
   * few nanoseconds; checking the whole form would cost as much as it saves.
   */
  readonly begins: (text: string) => boolean
}

/**
 * Recognises the form of credentials for one keyring: `minted` is a secret with this prefix and one of these
 * environments. The answer is that of `parse`, without taking the text apart, because every request passes here.
 *
 * @example formReader({ prefix: 'lk', environments: ['live'] })(secret) // 'minted'
 */
export function formReader({ prefix, environments }: { prefix: string; environments: readonly string[] }): FormReader {
  const heads = environments.map((environment) => `${prefix}_${environment}_`)
  const lengths = new Set(heads.map(({ length }) => length + tailLength))
  const first = `${prefix}_`
  const formOf = (text: string): Form => {
    for (const head of heads) {
      if (text.length !== head.length + tailLength || !text.startsWith(head)) continue
      if (!isBase62(text, head.length)) return 'malformed'
      return hasChecksum(text) ? 'minted' : 'mistyped'
    }
    return 'malformed'
  }
  const begins = (text: string): boolean => {
    if (!lengths.has(text.length)) return false
    // One by one: calling `startsWith` takes longer than three comparisons.
    for (let index = 0; index < first.length; index++) {
      if (text.charCodeAt(index) !== first.charCodeAt(index)) return false
    }
    return true
  }
  return Object.assign(formOf, { begins })
}
