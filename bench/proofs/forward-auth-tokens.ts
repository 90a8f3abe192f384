import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Signer } from './forward-auth-server.ts'

/** Identities that no service may accept, most of them signed with the server's own key. */
export function wrongIdentities({ kid, x, d }: Signer, now: number): readonly string[] {
  const ours = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' })
  const theirs = generateKeyPairSync('ed25519').privateKey
  const iat = Math.floor(now / 1000)
  const claims = {
    iss: 'latchkey',
    aud: 'process',
    sub: 'key_x',
    owner: 'EVIL',
    environment: 'live',
    scopes: ['process:run'],
    iat,
    exp: iat + 30,
  }
  const head = { alg: 'EdDSA', typ: 'latchkey-identity+jwt', kid }
  const token = (header: object, said: object, key: KeyObject | undefined = ours): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part({ ...head, ...header })}.${part({ ...claims, ...said })}`
    return `${signed}.${key === undefined ? '' : sign(null, Buffer.from(signed), key).toString('base64url')}`
  }
  return [
    token({}, {}, theirs),
    token({ kid: 'unknown' }, {}, theirs),
    token({ alg: 'none' }, {}, undefined),
    token({ alg: 'none' }, {}),
    token({ alg: 'HS256' }, {}),
    token({ typ: 'JWT' }, {}),
    token({ crit: ['b64'], b64: false }, {}),
    token({}, { aud: 'other' }),
    token({}, { aud: undefined }),
    token({}, { iss: 'elsewhere' }),
    token({}, { iat: iat - 60, exp: iat - 30 }),
    token({}, { exp: iat + 86_400 }),
    token({}, { iat: iat + 600, exp: iat + 630 }),
    'EVIL',
  ]
}
