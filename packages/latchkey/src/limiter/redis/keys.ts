import { createHash } from 'node:crypto'
import type { Window } from '../../ports.ts'

/** The keys of the windows of a call, and what its scripts are told of each. */
export interface Named {
  readonly keys: readonly string[]
  /** For each window its limit, its length in microseconds, and whether it only reports. */
  readonly args: readonly string[]
  readonly lengths: readonly string[]
}

/**
 * Names windows. In a Redis Cluster all keys of a call must lie in one slot, so the owner gives their hash tag. Names are
 * hashed, because they may hold braces and the names of people.
 *
 * @returns a function that does the work once for each list, because a key has the same list in every call.
 */
export function naming(prefix: string): (windows: readonly Window[]) => Named {
  const named = new WeakMap<readonly Window[], Named>()
  return (windows) => {
    const known = named.get(windows)
    if (known !== undefined) return known
    const lengths = windows.map(({ window }) => String(Math.round(window * 1_000_000)))
    const made = {
      keys: windows.map(({ group, bucket }) => `${prefix}:{${digest(group, 'hex').slice(0, 8)}}:${digest(bucket)}`),
      args: windows.flatMap(({ limit, reportOnly }, index) => [
        String(limit),
        lengths[index] ?? '',
        reportOnly === true ? '1' : '0',
      ]),
      lengths,
    }
    named.set(windows, made)
    return made
  }
}

/** 128 bits, if they are not in hexadecimal. */
function digest(text: string, as: 'hex' | 'base64url' = 'base64url'): string {
  return createHash('sha256').update(text).digest(as).slice(0, 22)
}
