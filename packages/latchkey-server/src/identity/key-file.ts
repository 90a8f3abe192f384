import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** The public half of a key that signs identities (RFC 8037 2). */
export interface PublicIdentityKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  /** The thumbprint (RFC 7638). */
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** A key that signs identities. */
export interface IdentityKey {
  /** In milliseconds since 1970. */
  readonly createdAt: number
  readonly public: PublicIdentityKey
  readonly private: KeyObject
}

/** All that the file holds. */
export interface IdentityKeys {
  /** Who issues the identities: their `iss`. */
  readonly issuer: string
  /** The oldest first. */
  readonly keys: readonly [IdentityKey, ...IdentityKey[]]
}

/** The content of the file; or what the file must be, as the end of a sentence. */
export type IdentityFile =
  | { readonly found: IdentityKeys; readonly must: undefined }
  | { readonly found: undefined; readonly must: string }

/** Bytes of the largest file that is read, and the most keys in one. */
const mostBytes = 16_384
const mostKeys = 16

/** What an issuer may be. */
export const issuerPattern = /^[!-~]{1,120}$/

/**
 * Reads the file with the keys that sign identities. Others on the machine must not be able to read it, and a group not to
 * write it.
 *
 * @example const { found, must } = readIdentityFile('identity.json')
 */
export function readIdentityFile(file: string): IdentityFile {
  const must = (what: string): IdentityFile => ({ found: undefined, must: `the path of a file${what}` })
  let text: string
  try {
    // Not to wait: reading a pipe could take for ever.
    const opened = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const status = fstatSync(opened)
      if (!status.isFile() || status.size > mostBytes) throw new Error('It is not such a file.')
      if (process.platform !== 'win32' && (status.mode & 0o027) !== 0) {
        return must(' that only its owner may read (mode 600), and others may read this one, or a group write it')
      }
      text = readFileSync(opened, 'utf8')
    } finally {
      closeSync(opened)
    }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return must(
      isMissing ? ', and there is none: latchkey identity rotate makes one' : ' that can be read, and this one cannot',
    )
  }
  const found = identityKeysIn(text)
  return found === undefined
    ? must(' that latchkey identity rotate has written, and this one is not')
    : { found, must: undefined }
}

/** The keys in the text of a file; `undefined` if it is none that this program has written. */
function identityKeysIn(text: string): IdentityKeys | undefined {
  try {
    const { issuer, keys } = JSON.parse(text) as { issuer: unknown; keys: unknown }
    if (typeof issuer !== 'string' || !issuerPattern.test(issuer)) return undefined
    if (!Array.isArray(keys) || keys.length > mostKeys) return undefined
    const [first, ...rest] = (keys as readonly { createdAt: unknown; d: unknown; x: unknown }[])
      .map(({ createdAt, d, x }) => keyOf(Number(createdAt), { d: String(d), x: String(x) }))
      .toSorted((one, other) => one.createdAt - other.createdAt)
    return first === undefined ? undefined : { issuer, keys: [first, ...rest] }
  } catch {
    return undefined
  }
}

/** @throws Error where the two halves are no key, or not of one key. */
function keyOf(createdAt: number, { d, x }: { readonly d: string; readonly x: string }): IdentityKey {
  const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' })
  if (!Number.isSafeInteger(createdAt) || createdAt < 0 || key.export({ format: 'jwk' }).x !== x) {
    throw new Error('These are not the halves of one key.')
  }
  // The members in this order, and no others (RFC 7638 3.2, RFC 8037 2).
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
  return { createdAt, private: key, public: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' } }
}

/** Makes a key. */
export function makeIdentityKey(createdAt: number): IdentityKey {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return keyOf(createdAt, { d, x })
}

/** The text of a file with these keys. */
export function textOfIdentityKeys({ issuer, keys }: IdentityKeys): string {
  const written = keys.map(({ createdAt, public: { kid, x }, private: key }) => {
    return { kid, createdAt, x, d: key.export({ format: 'jwk' }).d }
  })
  return `${JSON.stringify({ issuer, keys: written }, null, 2)}\n`
}
