import { hashSecret } from '../secret/hash.ts'
import type { CachedKey } from './cached-key.ts'
import type { CheckedRequirement } from './requirement.ts'

/** What a credential was accepted with the last time. */
export interface LastTime {
  readonly found: CachedKey<string>
  /** The requirement that the key has met. */
  readonly requirement: CheckedRequirement
  /** The version of the cache that has found the key: every cache has its own. */
  readonly version: object
}

// No members of the class, whose type is exported: only `verify` notes anything.

/** What `note` has noted in a credential; `undefined` for any other value. */
export let lastTimeOf: (value: unknown) => LastTime | undefined

/** Notes with what a credential was accepted; does nothing with any other value. */
export let note: (value: unknown, lastTime: LastTime) => void

/**
 * A text that was presented as a credential, with its hash, which is computed once. A guard keeps it for a connection.
 * It is a class with private members, so that a caller cannot pass an object with a hash of their own.
 */
export class Credential {
  readonly #text: string
  #hash: string | undefined
  #lastTime: LastTime | undefined

  constructor(text: string) {
    this.#text = text
    this.#hash = undefined
    this.#lastTime = undefined
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

  static {
    lastTimeOf = (value) => (isOne(value) ? value.#lastTime : undefined)
    note = (value, lastTime) => {
      if (isOne(value)) value.#lastTime = lastTime
    }
    function isOne(value: unknown): value is Credential {
      return typeof value === 'object' && value !== null && #text in value
    }
  }
}
