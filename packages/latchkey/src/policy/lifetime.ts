/** From when and until when a key is valid, in milliseconds since 1970 (UTC). `null` is no bound. */
export interface Lifetime {
  /** The first millisecond in which the key is valid. */
  readonly notBefore: number | null
  /** The first millisecond in which it no longer is. */
  readonly expiresAt: number | null
}

/**
 * The phase of a lifetime at `now`.
 *
 * @example phase({ notBefore: null, expiresAt: 1000 }, 999) // 'active'; at 1000 'expired'
 */
export function phase({ notBefore, expiresAt }: Lifetime, now: number): 'pending' | 'active' | 'expired' {
  if (expiresAt !== null && now >= expiresAt) return 'expired'
  if (notBefore !== null && now < notBefore) return 'pending'
  return 'active'
}
