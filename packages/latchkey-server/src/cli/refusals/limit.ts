import type { LimitRefusalRecord } from 'latchkey'

/** A limit that has refused a call, in words. */
export function shownLimit({ name, limit, window }: NonNullable<LimitRefusalRecord['limit']>): string {
  return window === null ? `${name}, ${limit}` : `${name}, ${limit} in ${window} s`
}
