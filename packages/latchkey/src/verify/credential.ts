import { hashSecret } from '../secret/hash.ts'

/**
 * A credential as it was presented, which remembers what was computed from its text. Who keeps the object, as a guard
 * does for a connection, spares the next call that work. A class, because private members are what nobody can bring:
 * an object that came with a hash of its own would let in whoever has read the database.
 */
export class Credential {
  readonly #text: string
  #hash: string | undefined

  constructor(text: string) {
    this.#text = text
    this.#hash = undefined
  }

  /** As it was presented. */
  get text(): string {
    return this.#text
  }

  /** SHA-256 of the text, computed once. */
  get hash(): string {
    return (this.#hash ??= hashSecret(this.#text))
  }

  /** The text of one that was made here; of anything else `undefined`. */
  static textOf(value: object): string | undefined {
    return typeof value === 'object' && #text in value ? value.#text : undefined
  }
}
