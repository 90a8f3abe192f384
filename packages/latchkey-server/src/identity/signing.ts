import { sign } from 'node:crypto'
import type { IdentityKey } from './key-file.ts'

/** The type of the token. */
const identityType = 'latchkey-identity+jwt'

/** Seconds for which an identity is good. */
const lifetime = 30

/** What an identity says. */
export interface Claims {
  readonly issuer: string
  readonly audience: string
  readonly keyId: string
  readonly owner: string
  readonly environment: string
  readonly scopes: readonly string[]
}

/**
 * Signs an identity: a JWT (RFC 7519) with EdDSA (RFC 8037), whose type keeps it apart from every other token (RFC 8725
 * 3.11).
 *
 * @param now - in milliseconds since 1970.
 */
export function signIdentity(claims: Claims, key: IdentityKey, now: number): string {
  const { issuer, audience, keyId, owner, environment, scopes } = claims
  const iat = Math.floor(now / 1000)
  const header = { alg: 'EdDSA', typ: identityType, kid: key.public.kid }
  const body = { iss: issuer, aud: audience, sub: keyId, owner, environment, scopes, iat, exp: iat + lifetime }
  const signed = `${encoded(header)}.${encoded(body)}`
  return `${signed}.${sign(null, Buffer.from(signed), key.private).toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
