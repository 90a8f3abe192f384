/** The meanings of the most frequent error codes of Node. The platform's own `fetch` puts the code into `cause`. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up at the moment',
  ECONNRESET: 'the connection was broken off',
  UND_ERR_SOCKET: 'the connection was broken off',
  ETIMEDOUT: 'nothing answers there',
  UND_ERR_CONNECT_TIMEOUT: 'nothing answers there',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'nobody who is trusted has signed its certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody who is trusted has signed its certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'nobody who is trusted has signed its certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody who is trusted has signed its certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody who is trusted has signed its certificate',
}

/**
 * Describes a failed connection in words, with the code so that it can be looked up. It never repeats the error's own
 * message: a custom `fetch` may put headers there.
 */
export function reasonOf(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: unknown; name?: unknown }; code?: unknown }
  if (cause?.name === 'HTTPParserError') return 'it does not speak HTTP'
  const word = cause?.code ?? code
  if (typeof word !== 'string' || !/^[A-Z0-9_]{1,60}$/.test(word)) return 'the connection failed'
  const meaning = Object.hasOwn(meanings, word) ? meanings[word] : undefined
  return `${meaning ?? 'the connection failed'} (${word})`
}

/** The codes of connections that were never made. */
const neverMade: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether a connection failed before any request was sent over it. */
export function wasNeverMade(error: unknown): boolean {
  const { cause, code } = error as { cause?: { code?: unknown }; code?: unknown }
  return neverMade.has(cause?.code ?? code)
}
