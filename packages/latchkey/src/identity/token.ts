import { verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** The longest identity, in characters. */
const longest = 2048

/** The type of the token: it keeps identities apart from every other token that the same key may have signed. */
const type = 'latchkey-identity+jwt'

/** Seconds from issue to end that an identity may have. */
const longestLife = 60

/** Seconds by which the clock of a service may be behind. */
const skew = 30

/** A JWT in its compact form, with a signature of Ed25519: 64 bytes. */
const form = /^([\w-]{1,512})\.([\w-]{1,2000})\.([\w-]{86})$/

/** What an identity says. */
export interface IdentityClaims {
  readonly sub: string
  readonly owner: string
  readonly environment: string
  readonly scopes: readonly string[]
  /** In seconds since 1970. */
  readonly iat: number
  readonly exp: number
}

/** A text that may be an identity, and the id of the key that is said to have signed it. */
export interface UncheckedToken {
  readonly kid: string
  readonly signed: string
  readonly body: string
  readonly signature: string
}

/** Reads the head of an identity: `undefined` for what is none, whatever its algorithm (RFC 8725 3.1). */
export function tokenOf(text: string): UncheckedToken | undefined {
  const [, head = '', body = '', signature = ''] = text.length > longest ? [] : (form.exec(text) ?? [])
  const header = objectIn(head)
  if (header === undefined) return undefined
  const { alg, typ, kid, ...others } = header
  // A member that is not understood may change what the rest means.
  if (alg !== 'EdDSA' || typ !== type || typeof kid !== 'string' || Object.keys(others).length > 0) return undefined
  return { kid, signed: `${head}.${body}`, body, signature }
}

/** What an identity says, if the key has signed it, for this service; otherwise `undefined`. */
export function claimsOf(
  { signed, body, signature }: UncheckedToken,
  { key, issuer, audience }: { readonly key: KeyObject; readonly issuer: string; readonly audience: string },
): IdentityClaims | undefined {
  if (!verify(null, Buffer.from(signed), key, Buffer.from(signature, 'base64url'))) return undefined
  const claims = objectIn(body)
  if (claims === undefined || claims['iss'] !== issuer || claims['aud'] !== audience) return undefined
  const { sub, owner, environment, scopes, iat, exp } = claims
  if (![sub, owner, environment].every((one) => typeof one === 'string' && one !== '')) return undefined
  if (!Array.isArray(scopes) || !scopes.every((one) => typeof one === 'string')) return undefined
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp) || Number(exp) - Number(iat) > longestLife)
    return undefined
  return claims as unknown as IdentityClaims
}

/** Whether a time is within the life of an identity, in milliseconds since 1970. */
export function isWithin({ iat, exp }: IdentityClaims, now: number): 'expired' | 'not_yet_valid' | undefined {
  if (now >= exp * 1000) return 'expired'
  return now < (iat - skew) * 1000 ? 'not_yet_valid' : undefined
}

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
