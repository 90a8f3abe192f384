import type { VerifiedKey } from 'latchkey'
import type { KeysInUse } from '../../identity/keys-in-use.ts'
import { signIdentity } from '../../identity/signing.ts'
import type { AppliedPolicy } from './policies.ts'

/** Milliseconds for which the text of an identity is given again, to the same key. */
const reused = 10_000

/** What tells a service who calls. */
export type IdentityHeaders = Readonly<Record<'x-latchkey-identity' | 'x-latchkey-key-id' | 'x-latchkey-owner', string>>

interface Signed {
  readonly headers: IdentityHeaders
  readonly at: number
  /** The id of the key that has signed. */
  readonly by: string
}

/**
 * Makes the headers of an accepted call for one policy. A verified key is another object after every change of it, so what
 * was signed for one is never given for what it has become.
 */
export function identityHeadersFor(
  { audience, passed }: AppliedPolicy,
  { keys, now }: { readonly keys: KeysInUse; readonly now: () => number },
): (key: VerifiedKey) => IdentityHeaders {
  const signed = new WeakMap<VerifiedKey, Signed>()

  return (key) => {
    const at = now()
    const signing = keys.signing()
    const { kid } = signing.public
    const before = signed.get(key)
    // A clock that was set back makes a new one: the end of the last is too far away.
    if (before !== undefined && before.by === kid && at >= before.at && at - before.at < reused) return before.headers
    const { id, owner, environment } = key
    const scopes = key.scopes.filter((scope) => passed.has(scope))
    const claims = { issuer: keys.issuer(), audience, keyId: id, owner, environment, scopes }
    const headers = {
      'x-latchkey-identity': signIdentity(claims, signing, at),
      'x-latchkey-key-id': id,
      'x-latchkey-owner': encodeURIComponent(owner),
    }
    signed.set(key, { headers, at, by: kid })
    return headers
  }
}
