import { LatchkeyError } from '../error.ts'
import { bounds, invalid } from '../input.ts'
import type { Quota } from '../policy/limits.ts'
import { periodStart } from '../policy/limits.ts'
import type { Change, KeyRecord } from '../ports.ts'
import { quotaLeftOf } from '../verify/quota-left.ts'
import type { CheckedMembers } from './checked-members.ts'

/** A change of the remaining amount of a quota. */
type QuotaChange = NonNullable<Extract<Change, { kind: 'update' }>['quota']> | null

/**
 * The change of the remaining amount of a quota. It is set if the caller gives it (`remaining`), and filled up if the
 * quota is new or has another period; otherwise it grows or shrinks with the quota.
 */
export function quotaAfter(before: Quota | null, { stored, quota, saysLeft }: CheckedMembers): QuotaChange | undefined {
  const after = stored.quota
  if (quota === undefined || quota === null || after === undefined || after === null || saysLeft) return quota
  if (before === null || before.refill !== after.refill) return quota
  return before.amount === after.amount ? undefined : { more: after.amount - before.amount }
}

/**
 * What is added to the remaining amount, or taken from it, in the present period.
 *
 * @throws LatchkeyError `conflict`, `invalid_input`.
 */
export function quotaAfterStep(
  added: number,
  { quota, quotas, now }: Pick<KeyRecord, 'quotas'> & { readonly quota: Quota | null; readonly now: number },
): QuotaChange {
  const left = quotaLeftOf(quota, quotas, now)
  if (quota === null || left === null) throw new LatchkeyError('conflict', 'The key has no quota. Set one first.')
  if (left.remaining + added > bounds.quota)
    throw invalid('quota.add', `so little that at most ${bounds.quota} is left`)
  return { added, amount: quota.amount, period: periodStart(quota.refill, now) }
}

/** The description of a change of the remaining amount of a quota in the journal entry. */
export function quotaEntry(quota: QuotaChange): object {
  if (quota === null) return { quotaLeft: null }
  if ('added' in quota) return quota.added < 0 ? { quotaTaken: -quota.added } : { quotaAdded: quota.added }
  return 'more' in quota ? { quotaMore: quota.more } : { quotaLeft: quota.remaining }
}
