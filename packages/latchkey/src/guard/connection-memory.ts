import type { Credential } from '../verify/verdict.ts'

/** The last credential of a connection. */
interface Memory {
  credential: Credential | undefined
  /** Its text, as bytes. */
  bytes: Uint8Array
  /** How often the connection has sent another credential than before. */
  changes: number
}

/** A connection that changes its credential more often carries requests of many callers. */
const mostChanges = 4

/** A text of more characters is not remembered. */
const longest = 255

/** The text of this call as UTF-8, in which a character takes at most three bytes: so none of it is ever cut off. */
const written = Buffer.alloc(longest * 3)

/**
 * Remembers the last credential of each connection, with what the verifier notes in it. So the secret of a caller who keeps
 * the connection is hashed only once. It never remembers a verdict: each request gets its own. On a connection that
 * changes its credential again and again it would only be work, and it stops.
 *
 * @param make - `Verifier.credential`; a verifier without it notes nothing that could be remembered.
 */
export function connectionMemory(
  make: ((text: string) => Credential) | undefined,
): (connection: object, text: string) => Credential | string {
  if (make === undefined) return (_connection, text) => text
  const memories = new WeakMap<object, Memory>()
  return (connection, text) => {
    const memory = memories.get(connection)
    if (memory !== undefined && memory.changes > mostChanges) return text
    const length = text.length <= longest ? written.write(text) : 0
    // Only ASCII takes a byte for each character.
    if (length !== text.length) return text
    if (memory?.credential !== undefined && isWritten(memory.bytes, length)) return memory.credential
    const changes = memory === undefined ? 0 : memory.changes + 1
    const credential = changes > mostChanges ? undefined : make(text)
    memories.set(connection, { credential, bytes: new Uint8Array(written.subarray(0, length)), changes })
    return credential ?? text
  }
}

/**
 * Compares the text that was written with a remembered one, in a time that does not depend on where they differ (ASVS 5.0
 * 11.2.4): behind a proxy, the remembered credential may be another caller's. To compare bytes takes a fifth of the time
 * of comparing characters.
 */
function isWritten(bytes: Uint8Array, length: number): boolean {
  if (bytes.length !== length) return false
  let difference = 0
  for (let index = 0; index < length; index++) difference |= (bytes[index] ?? 0) ^ (written[index] ?? 0)
  return difference === 0
}
