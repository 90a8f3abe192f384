import { parse } from '../secret/parse.ts'

/** The header that carries the key unless the guard is told otherwise, and its name in challenges and in OpenAPI. */
export const header = 'X-API-Key'

/** Where callers send their keys: in `X-API-Key`, in `Authorization: Bearer`, or in either of the two. */
export type CredentialPlace = 'header' | 'bearer' | 'either'

/** All places, the default first. */
export const credentialPlaces: readonly CredentialPlace[] = ['header', 'bearer', 'either']

/**
 * The challenge of a 401, which it must carry (RFC 9110 11.6.1). A scheme without parameters is a challenge (11.3), but
 * `Bearer` needs one (RFC 6750 3). It never says what is wrong with a key.
 */
export const challenges: Readonly<Record<CredentialPlace, string>> = {
  header,
  bearer: 'Bearer realm="API"',
  either: `${header}, Bearer realm="API"`,
}

/** The header that a guard does not read, though callers send their keys in it by mistake. */
export const unreadHeaders: Readonly<Record<CredentialPlace, 'authorization' | 'x-api-key' | undefined>> = {
  header: 'authorization',
  bearer: 'x-api-key',
  either: undefined,
}

/** Stands for a request with more than one credential. */
export const twoCredentials: unique symbol = Symbol('two credentials')

/** The one credential of a request; `undefined` if it has none. */
type Presented = string | undefined | typeof twoCredentials

/** The headers that may carry a credential, as frameworks have them. */
interface Headers {
  readonly 'x-api-key'?: string | readonly string[] | undefined
  readonly authorization?: string | undefined
}

/**
 * Reads the credential of a request.
 *
 * @param headers - the headers from the framework.
 * @param lines - the names and values of all header lines in turn, as they came over the wire (`rawHeaders`). Node joins
 *   repeated lines of one header, or drops all but the first, so that `headers` alone could hide a second credential.
 */
export type CredentialReader = (headers: Headers, lines: readonly string[]) => Presented

/** The reader for a place. */
export const credentialReaders: Readonly<Record<CredentialPlace, CredentialReader>> = {
  /** A secret in `Authorization` is a second credential, since two programs on the way could disagree on the caller's. */
  header(headers, lines) {
    const text = inHeader(headers['x-api-key'], lines)
    if (typeof text !== 'string' || headers.authorization === undefined) return text
    return holdsSecret(lines, 'authorization') ? twoCredentials : text
  },
  /** The same the other way round. */
  bearer(headers, lines) {
    const token = inAuthorization(headers.authorization, lines)
    if (typeof token !== 'string' || headers['x-api-key'] === undefined) return token
    return holdsSecret(lines, 'x-api-key') ? twoCredentials : token
  },
  /** Both places are read, so whatever stands in both is two credentials. */
  either(headers, lines) {
    const token = inAuthorization(headers.authorization, lines)
    if (token === undefined) return inHeader(headers['x-api-key'], lines)
    return headers['x-api-key'] === undefined ? token : twoCredentials
  },
}

/** One credential may contain a comma, but two lines are never one credential. */
function inHeader(value: string | readonly string[] | undefined, lines: readonly string[]): Presented {
  if (value === undefined) return undefined
  if (typeof value !== 'string') return value.length > 1 ? twoCredentials : value[0]
  return value.includes(',') && linesOf(lines, 'x-api-key') > 1 ? twoCredentials : value
}

/** The token of `Authorization: Bearer`. Other schemes are for other programs, such as a proxy. */
function inAuthorization(value: string | undefined, lines: readonly string[]): Presented {
  if (value === undefined) return undefined
  return linesOf(lines, 'authorization') > 1 ? twoCredentials : bearerToken(value)
}

const scheme = 'bearer'

function bearerToken(value: string): string | undefined {
  if (value.slice(0, scheme.length).toLowerCase() !== scheme) return undefined
  let start = scheme.length
  if (start < value.length && value[start] !== ' ') return undefined
  while (value[start] === ' ') start++
  return value.slice(start)
}

function linesOf(lines: readonly string[], name: string): number {
  let count = 0
  for (let index = 0; index < lines.length; index += 2) if (isNamed(lines[index], name)) count++
  return count
}

/** Whether any line of a header carries a secret that a keyring has minted. */
function holdsSecret(lines: readonly string[], name: 'authorization' | 'x-api-key'): boolean {
  for (let index = 0; index < lines.length; index += 2) {
    if (!isNamed(lines[index], name)) continue
    const value = lines[index + 1] ?? ''
    const text = name === 'authorization' ? bearerToken(value) : value
    if (text !== undefined && typeof parse(text.trim()) === 'object') return true
  }
  return false
}

function isNamed(line: string | undefined, name: string): boolean {
  return line?.length === name.length && line.toLowerCase() === name
}
