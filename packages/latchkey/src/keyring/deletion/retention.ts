import { integer, membersOf, objectOf } from '../../input.ts'

/** For how many days what has ended is kept; `null` for ever. A purge deletes what is older. */
export interface Retention {
  /** Usage by the hour. 90 if left out. */
  readonly usage?: number | null
  /** Sums of usage by day, which are kept at least as long as usage by the hour. 400 if left out: 13 months. */
  readonly usageSums?: number | null
  /** Refusals, whose number is bounded besides. 30 if left out. */
  readonly refusals?: number | null
  /** Secrets that a rotation has ended, from their end on. 90 if left out. */
  readonly endedSecrets?: number | null
  /** Revoked keys, from their revocation on. 365 if left out. */
  readonly revokedKeys?: number | null
}

/** Milliseconds for which something is kept; `null` for ever. */
export type Ages = { readonly [Name in keyof Retention]-?: number | null }

/** Milliseconds. */
export const day = 86_400_000

/** Days: ten years. */
const longest = 3650

/** Days. */
const defaults = { usage: 90, usageSums: 400, refusals: 30, endedSecrets: 90, revokedKeys: 365 }

const members = membersOf<Retention>({
  usage: true,
  usageSums: true,
  refusals: true,
  endedSecrets: true,
  revokedKeys: true,
})

/** @throws LatchkeyError `invalid_input`. */
export function agesOf(retention: Retention = {}): Ages {
  objectOf('retention', retention, members)
  const kept = (name: keyof Retention): number | null => {
    const { [name]: days = defaults[name] } = retention
    return days === null ? null : integer(`retention.${name}`, days, { least: 1, most: longest }) * day
  }
  const [usage, sums] = [kept('usage'), kept('usageSums')]
  return {
    usage,
    // A sum of days whose rows can still be read would be wrong.
    usageSums: usage === null || sums === null ? null : Math.max(usage, sums),
    refusals: kept('refusals'),
    endedSecrets: kept('endedSecrets'),
    revokedKeys: kept('revokedKeys'),
  }
}
