import { invalid, quota as checkedQuota } from '../input.ts'
import { periodStart } from '../policy/limits.ts'
import type { QuotaState, StoredKey } from '../ports.ts'
import type { CheckContext, KeyMembers, StoredMembers } from './members.ts'
import { checkEach } from './members.ts'

/** Members that were checked. */
export interface CheckedMembers {
  /** The members as they are kept. */
  readonly stored: Partial<StoredMembers>
  /**
   * The remaining amount of the quota, if the quota is new; `null` for no quota, `undefined` if the quota is not among
   * the members.
   */
  readonly quota: QuotaState | null | undefined
  /** Whether the caller gives the remaining amount. */
  readonly saysLeft: boolean
}

/**
 * Checks each of some members by itself, and works out the remaining amount of a quota.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function checkedMembers(members: Partial<KeyMembers<string>>, context: CheckContext): CheckedMembers {
  const stored = checkEach(members, context)
  if (members.quota === undefined || members.quota === null) return { stored, quota: members.quota, saysLeft: false }
  const { quota, remaining } = checkedQuota(members.quota)
  const period = periodStart(quota.refill, context.now)
  return { stored, quota: { remaining: remaining ?? quota.amount, period }, saysLeft: remaining !== undefined }
}

/**
 * Checks the members of a key against each other.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function checkTogether({ notBefore, expiresAt }: Pick<StoredKey, 'notBefore' | 'expiresAt'>): void {
  if (notBefore !== null && expiresAt !== null && expiresAt <= notBefore) {
    throw invalid('expiresAt', 'later than notBefore')
  }
}
