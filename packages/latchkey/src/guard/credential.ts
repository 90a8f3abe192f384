import { parse } from '../secret/parse.ts'

/** The header that carries the key unless the guard is told otherwise, and its name in challenges and in OpenAPI. */
export const header = 'X-API-Key'

/**
 * Where callers send their keys: in `X-API-Key`, in `Authorization: Bearer`, or in either of the two. `identity` is for a
 * service behind a proxy, which reads `X-Latchkey-Identity`: callers send their keys to the proxy, in `X-API-Key`.
 */
export type CredentialPlace = 'header' | 'bearer' | 'either' | 'identity'

/** All places, the default first. */
export const credentialPlaces: readonly CredentialPlace[] = ['header', 'bearer', 'either', 'identity']

/**
 * The challenge of a 401, which it must carry (RFC 9110 11.6.1). A scheme without parameters is a challenge (11.3), but
 * `Bearer` needs one (RFC 6750 3). It never says what is wrong with a key.
 */
export const challenges: Readonly<Record<CredentialPlace, string>> = {
  header,
  bearer: 'Bearer realm="API"',
  either: `${header}, Bearer realm="API"`,
  identity: header,
}

/** The names of the headers, as they are compared. */
type ReadHeader = 'authorization' | 'x-api-key' | 'x-latchkey-identity'

/** The header that a guard does not read, though callers send their keys in it by mistake. */
export const unreadHeaders: Readonly<Record<CredentialPlace, ReadHeader | undefined>> = {
  header: 'authorization',
  bearer: 'x-api-key',
  either: undefined,
  identity: 'x-api-key',
}

/** Stands for a request with more than one credential. */
export const twoCredentials: unique symbol = Symbol('two credentials')

/** The one credential of a request; `undefined` if it has none. */
type Presented = string | undefined | typeof twoCredentials

/**
 * Reads the credential of a request.
 *
 * @param lines - the names and values of all header lines in turn, as they came over the wire (`rawHeaders`). Node makes
 *   its object of headers only when it is asked for, which takes longer than a verification; and it joins repeated lines
 *   of one header, or drops all but the first, so that it could hide a second credential.
 */
export type CredentialReader = (lines: readonly string[]) => Presented

/** The reader for a place. */
export const credentialReaders: Readonly<Record<CredentialPlace, CredentialReader>> = {
  /** A secret in `Authorization` is a second credential, since two programs on the way could disagree on the caller's. */
  header(lines) {
    const text = valueOf('x-api-key', lines)
    return typeof text === 'string' && holdsSecret('authorization', lines) ? twoCredentials : text
  },
  /** The same the other way round. */
  bearer(lines) {
    const token = inAuthorization(lines)
    return typeof token === 'string' && holdsSecret('x-api-key', lines) ? twoCredentials : token
  },
  /** Both places are read, so whatever stands in both is two credentials. */
  either(lines) {
    const token = inAuthorization(lines)
    const text = valueOf('x-api-key', lines)
    if (token === undefined) return text
    return text === undefined ? token : twoCredentials
  },
  /** The proxy has judged what else the caller sent. */
  identity(lines) {
    return valueOf('x-latchkey-identity', lines)
  },
}

/** The one value of a header. One credential may contain a comma, but two lines are never one credential. */
function valueOf(name: ReadHeader, lines: readonly string[]): Presented {
  let value: string | undefined
  for (let index = 0; index < lines.length; index += 2) {
    if (!isNamed(lines[index], name)) continue
    if (value !== undefined) return twoCredentials
    value = lines[index + 1]
  }
  return value
}

/** The token of `Authorization: Bearer`. Other schemes are for other programs, such as a proxy. */
function inAuthorization(lines: readonly string[]): Presented {
  const value = valueOf('authorization', lines)
  return typeof value === 'string' ? bearerToken(value) : value
}

const scheme = 'bearer'

function bearerToken(value: string): string | undefined {
  if (value.slice(0, scheme.length).toLowerCase() !== scheme) return undefined
  let start = scheme.length
  if (start < value.length && value[start] !== ' ') return undefined
  while (value[start] === ' ') start++
  return value.slice(start)
}

/** Whether any line of a header carries a secret that a keyring has minted. */
function holdsSecret(name: ReadHeader, lines: readonly string[]): boolean {
  for (let index = 0; index < lines.length; index += 2) {
    if (!isNamed(lines[index], name)) continue
    const value = lines[index + 1] ?? ''
    const text = name === 'authorization' ? bearerToken(value) : value
    if (text !== undefined && typeof parse(text.trim()) === 'object') return true
  }
  return false
}

function isNamed(line: string | undefined, name: ReadHeader): boolean {
  return line?.length === name.length && line.toLowerCase() === name
}

/** Whether a request has a line of this header. */
export function hasLine(name: ReadHeader, lines: readonly string[]): boolean {
  for (let index = 0; index < lines.length; index += 2) if (isNamed(lines[index], name)) return true
  return false
}

/**
 * The lines of a request that has only `Headers`. They join the lines of one header with a comma and a space, so a value
 * with these is read as several lines: a second credential must not hide in the first. A space at the end is lost.
 */
export function linesOf(headers: { readonly get: (name: string) => string | null }): readonly string[] {
  const lines: string[] = []
  for (const name of ['x-api-key', 'authorization', 'x-latchkey-identity']) {
    const value = headers.get(name)
    if (value !== null) for (const line of value.split(/, |,$/)) lines.push(name, line)
  }
  return lines
}
