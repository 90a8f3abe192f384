import type { RefusalCode } from '../../refusal.ts'
import { refusals } from '../../refusal.ts'

/** What a call is counted as. */
export type UsageOutcome = 'accepted' | 'over_limit_reported' | RefusalCode

/** All outcomes: accepted, accepted though a limit that only reports had no room, and the codes of refusals. */
export const usageOutcomes: readonly UsageOutcome[] = [
  'accepted',
  'over_limit_reported',
  ...(Object.keys(refusals) as RefusalCode[]),
]
