import { Option } from 'commander'
import type { KeyDetails, KeyPatch, QuotaOptions, QuotaStep } from 'latchkey'
import { Failure } from '../exit.ts'
import { count } from '../input/flags.ts'
import { quotaText } from '../input/limits.ts'
import type { Fact } from '../terminal/table.ts'
import type { OptionValues } from './field.ts'

export const quotaLeftOption = new Option(
  '--quota-left <number>',
  'With --quota: how much of it is left now. Without this, what was spent stays spent',
).argParser(count)

/** Options of a change only: a new key has nothing that could be added to. */
export const quotaStepOptions: readonly Option[] = [
  new Option('--quota-add <number>', 'How much to add to what is left of its quota now').argParser(count),
  new Option('--quota-take <number>', 'How much to take from what is left of its quota now').argParser(count),
]

/**
 * The step of a quota in these options.
 *
 * @param patch - the other changes of the key.
 * @throws Failure `usage` for more than one change of the quota.
 */
export function quotaStepOf(options: OptionValues, patch: KeyPatch<string>): { readonly quota?: QuotaStep } {
  const { quotaAdd: add, quotaTake: take } = options as { readonly quotaAdd?: number; readonly quotaTake?: number }
  if (add === undefined && take === undefined) return {}
  if ((add !== undefined && take !== undefined) || 'quota' in patch)
    throw new Failure(
      'usage',
      'One change of the quota at a time: --quota, --quota-add, --quota-take or --clear quota.',
    )
  return { quota: take === undefined ? { add: add ?? 0 } : { take } }
}

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
