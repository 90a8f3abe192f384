import { hashSecret } from '../secret/hash.ts'

/**
 * A text that was presented as a credential, with its hash, which is computed once. A guard keeps it for a connection.
 * It is a class with private members, so that a caller cannot pass an object with a hash of their own.
 */
export class Credential {
  readonly #text: string
  #hash: string | undefined

  constructor(text: string) {
    this.#text = text
    this.#hash = undefined
  }

  /** The text as it was presented. */
  get text(): string {
    return this.#text
  }

  /** SHA-256 of the text, computed once. */
  get hash(): string {
    return (this.#hash ??= hashSecret(this.#text))
  }

  /** The text of an instance of this class; `undefined` for any other object. */
  static textOf(value: object): string | undefined {
    return typeof value === 'object' && #text in value ? value.#text : undefined
  }
}
