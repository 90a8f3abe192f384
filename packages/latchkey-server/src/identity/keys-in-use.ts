import { watchFile, unwatchFile } from 'node:fs'
import type { IdentityKey, IdentityKeys, PublicIdentityKey } from './key-file.ts'
import { readIdentityFile } from './key-file.ts'
import { signingKey } from './rotation.ts'

/** Milliseconds between two looks at the file. */
const interval = 5000

/** The keys of a running server. */
export interface KeysInUse {
  readonly issuer: () => string
  readonly signing: () => IdentityKey
  readonly published: () => readonly PublicIdentityKey[]
  readonly close: () => void
}

/** What the keys in use need. */
export interface KeysInUseOptions {
  readonly file: string
  readonly keys: IdentityKeys
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Called when the file has changed: with what is wrong with it, or with nothing. */
  readonly onChange: (fault: string | undefined) => void
}

/** Follows a file with keys. If it becomes unusable, the keys that were read last stay in use. */
export function keysInUse({ file, keys: first, now, onChange }: KeysInUseOptions): KeysInUse {
  let keys = first
  const look = (): void => {
    const { found, must } = readIdentityFile(file)
    if (found !== undefined) keys = found
    onChange(must)
  }
  watchFile(file, { persistent: false, interval }, look)
  return {
    issuer: () => keys.issuer,
    signing: () => signingKey(keys, now()),
    published: () => keys.keys.map(({ public: jwk }) => jwk),
    close: () => unwatchFile(file, look),
  }
}
