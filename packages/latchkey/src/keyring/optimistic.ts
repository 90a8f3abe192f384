import { LatchkeyError } from '../error.ts'

/** How often a change is tried when others are quicker. */
const attempts = 16

/**
 * Tries a change until it is made on what it has read, and nobody else has changed that meanwhile.
 *
 * @param attempt - answers `undefined` if somebody was quicker; it reads everything anew when it is called again.
 * @param failure - the text of the error if somebody was quicker each time.
 * @throws LatchkeyError `conflict`, and what `attempt` throws.
 */
export async function untilUndisturbed<Value extends object>(
  attempt: () => Promise<Value | undefined>,
  failure: string,
): Promise<Value> {
  for (let count = 0; count < attempts; count++) {
    const value = await attempt()
    if (value !== undefined) return value
  }
  throw new LatchkeyError('conflict', failure)
}
