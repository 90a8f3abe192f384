import type { Quota } from '../policy/limits.ts'
import { nextPeriod, periodStart } from '../policy/limits.ts'
import type { Awaitable, KeyRecord } from '../ports.ts'
import { awaiting } from './awaiting.ts'
import { seconds } from './limits.ts'
import type { Metered, MeteredCall } from './metered.ts'
import type { KeyringParts } from './parts.ts'
import { quotaLeftOf } from './quota-left.ts'
import type { LimitState } from './verdict.ts'

/** A call, its quota, and the time for which its states are. */
interface QuotaCall extends MeteredCall {
  readonly quota: Quota
  readonly now: number
}

const noQuota: Metered = { refused: undefined, states: [], limit: undefined, retryAfter: undefined }

/** Takes the cost of a call from the quota of its key; a dry run takes nothing. The state is that after the call. */
export function meterQuota(
  parts: Pick<KeyringParts<never>, 'store' | 'clock'>,
  quota: Quota | null,
  call: MeteredCall,
): Awaitable<Metered> {
  if (quota === null) return noQuota
  const { store, clock } = parts
  const { keyId, cost, dryRun } = call
  const now = clock.now()
  const quotaCall: QuotaCall = { keyId, cost, dryRun, quota, now }

  if (dryRun) {
    return awaiting(store.byId(keyId), (kept) => {
      const left = leftOf(kept, quotaCall)
      return left < cost ? refused(left, quotaCall) : admitted(left - cost, quotaCall)
    })
  }
  return awaiting(store.spend(keyId, { cost, quota, period: periodStart(quota.refill, now) }), (left) => {
    if (left !== undefined) return admitted(left, quotaCall)
    return awaiting(store.byId(keyId), (kept) => {
      const current = kept === undefined ? quota : kept.key.quota
      // Another process has changed the quota a moment ago, and this one does not know it yet.
      if (JSON.stringify(current) !== JSON.stringify(quota)) return meterQuota(parts, current, call)
      return refused(leftOf(kept, quotaCall), quotaCall)
    })
  })
}

function leftOf(kept: KeyRecord | undefined, { quota, now }: QuotaCall): number {
  return kept === undefined ? 0 : (quotaLeftOf(quota, kept.quotas, now)?.remaining ?? 0)
}

function admitted(remaining: number, call: QuotaCall): Metered {
  return { refused: undefined, states: [stateOf(call, remaining, false)], limit: undefined, retryAfter: undefined }
}

function refused(remaining: number, call: QuotaCall): Metered {
  const state = stateOf(call, remaining, true)
  // A call that costs more than a whole quota never fits.
  const retryAfter = call.cost > call.quota.amount ? undefined : (state.reset ?? undefined)
  const { name, limit, window } = state
  return { refused: 'quota_exhausted', states: [state], limit: { name, limit, window }, retryAfter }
}

function stateOf({ quota, now }: QuotaCall, remaining: number, exceeded: boolean): LimitState {
  const refills = nextPeriod(quota.refill, now)
  const reset = refills === null ? null : seconds(refills - now)
  return { name: 'quota', limit: quota.amount, window: null, remaining, reset, exceeded, reportOnly: false }
}
