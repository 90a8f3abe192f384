import type { RefusalCode } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import type { Refused } from './verdict.ts'

/** Refusals that name no key. They are made once, so that a flood of them allocates nothing. */
export const plainRefusals: Readonly<Record<RefusalCode, Refused>> = Object.freeze(
  Object.fromEntries(
    Object.values(refusals).map((refusal) => [refusal.code, Object.freeze({ ok: false, refusal })]),
  ) as unknown as Readonly<Record<RefusalCode, Refused>>,
)
