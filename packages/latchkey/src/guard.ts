/**
 * @module The parts of a guard that know no framework: for whoever answers requests in another way than by a guard of
 *   Latchkey, such as a server that judges requests for a proxy.
 */

import type { CredentialPlace } from './guard/credential.ts'
import { credentialReaders, twoCredentials } from './guard/credential.ts'
import { refusals } from './refusal.ts'
import type { Refused } from './verify/verdict.ts'

export { acceptedHeaders, refusalAnswer } from './guard/answer.ts'
export type { CredentialPlace } from './guard/credential.ts'

/** The credential of a request: its text, nothing, or the refusal of a request that has two. */
export type PresentedCredential = string | undefined | Refused

/**
 * Reads the credential of a request.
 *
 * @param lines - the names and values of all header lines in turn, as they came over the wire: `rawHeaders`.
 * @param place - where callers send their keys.
 *
 * @example
 * const presented = presentedCredential(['X-API-Key', secret], 'header')
 * console.log(presented === secret) // true
 */
export function presentedCredential(lines: readonly string[], place: CredentialPlace): PresentedCredential {
  const text = credentialReaders[place](lines)
  return text === twoCredentials ? { ok: false, refusal: refusals.two_credentials } : text
}
