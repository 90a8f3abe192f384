import type { RefusalBounds, RefusalDraft, Store, UsageBatch } from '../../src/ports.ts'

/** Writes all of a batch, however little the store takes at once. */
export async function recordUsage(store: Pick<Store, 'recordUsage'>, batch: UsageBatch): Promise<void> {
  let left = batch
  do left = await store.recordUsage(left)
  while (left.counts.length > 0 || left.lastUsed.size > 0)
}

/** The same of refusals. */
export async function recordRefusals(
  store: Pick<Store, 'recordRefusals'>,
  refusals: readonly RefusalDraft[],
  bounds: RefusalBounds,
): Promise<void> {
  let left = refusals
  do left = await store.recordRefusals(left, bounds)
  while (left.length > 0)
}
