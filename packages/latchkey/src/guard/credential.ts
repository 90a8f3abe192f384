import { parse } from '../secret/parse.ts'

/** The header that carries the key, and its name in challenges and in OpenAPI. */
export const header = 'X-API-Key'

/** Stands for a request with more than one credential. */
export const twoCredentials: unique symbol = Symbol('two credentials')

/**
 * The one credential in a request, or `twoCredentials`.
 *
 * @param value - the value of the header, from the framework.
 * @param lines - the names and values of all headers in turn, as they came over the wire (`rawHeaders`). Node joins
 *   repeated lines with a comma. So a value with a comma has its lines counted: one credential may contain a comma, but
 *   two lines are never one credential.
 */
export function presented(
  value: string | readonly string[] | undefined,
  lines: readonly string[],
): string | undefined | typeof twoCredentials {
  if (value === undefined) return undefined
  if (typeof value !== 'string') return value.length > 1 ? twoCredentials : value[0]
  if (!value.includes(',')) return value
  let count = 0
  for (let index = 0; index < lines.length; index += 2) {
    if (lines[index]?.toLowerCase() === 'x-api-key') count++
  }
  return count > 1 ? twoCredentials : value
}

/**
 * Whether an `Authorization` field carries a secret that a keyring has minted. The guard does not read the field as the
 * credential of a request, and other programs use it for other things, such as a person's token. But a secret there
 * beside the one in `X-API-Key` is a second credential: two programs on the way could disagree on which one is the
 * caller's.
 */
export function carriesSecret(authorization: string): boolean {
  const [, token] = /^bearer +(\S+) *$/i.exec(authorization) ?? []
  return token !== undefined && typeof parse(token) === 'object'
}
