import type { Credential } from '../verify/verdict.ts'

/**
 * Remembers the last credential of each connection, with what the verifier has computed from it. So the secret of a
 * caller who keeps the connection is hashed only once. It never remembers a verdict: each request gets its own.
 *
 * @param make - `Verifier.credential`; a verifier without it computes nothing that could be remembered.
 */
export function connectionMemory(
  make: ((text: string) => Credential) | undefined,
): (connection: object, text: string) => Credential | string {
  if (make === undefined) return (_connection, text) => text
  const last = new WeakMap<object, Credential>()
  return (connection, text) => {
    const remembered = last.get(connection)
    if (remembered !== undefined && sameText(remembered.text, text)) return remembered
    const credential = make(text)
    last.set(connection, credential)
    return credential
  }
}

/**
 * Compares two texts of one length in a time that does not depend on where they differ (ASVS 5.0 11.2.4): behind a
 * proxy, the remembered credential may be another caller's. `timingSafeEqual` would need two copies.
 */
function sameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < one.length; index++) difference |= one.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}
