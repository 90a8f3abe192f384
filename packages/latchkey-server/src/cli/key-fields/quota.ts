import { Option } from 'commander'
import type { KeyDetails, QuotaOptions } from 'latchkey'
import { Failure } from '../exit.ts'
import { count } from '../input/flags.ts'
import { quotaText } from '../input/limits.ts'
import type { Fact } from '../terminal/table.ts'
import type { OptionValues } from './field.ts'

export const quotaLeftOption = new Option(
  '--quota-left <number>',
  'With --quota: how much of it is left now. Without this, what was spent stays spent',
).argParser(count)

/** A quota, with the part of it that is left. */
export function quotaWithLeft(options: OptionValues): QuotaOptions | undefined {
  const { quota, quotaLeft: remaining } = options as { readonly quota?: QuotaOptions; readonly quotaLeft?: number }
  if (remaining === undefined) return quota
  if (quota === undefined) throw new Failure('usage', '--quota-left needs the quota it is part of. Add --quota.')
  return { ...quota, remaining }
}

export function quotaFacts({ quota, quotaLeft }: KeyDetails): readonly Fact[] {
  const left = quotaLeft === null ? '' : `, ${quotaLeft.remaining} left`
  return [['quota', quota === null ? 'none' : quotaText(quota) + left]]
}
