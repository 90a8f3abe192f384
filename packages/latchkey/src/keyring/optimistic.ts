import { LatchkeyError } from '../error.ts'

/** How often a change is tried when others are quicker. */
const attempts = 16

/**
 * Repeats a change until the state that it read has not been changed by another caller meanwhile.
 *
 * @param attempt - answers `undefined` if another caller was quicker; it reads everything anew when it is called again.
 * @param failure - the text of the error if another caller was quicker each time.
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
