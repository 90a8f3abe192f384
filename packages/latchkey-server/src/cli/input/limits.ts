import { InvalidArgumentError } from 'commander'
import type { Limit, QuotaOptions } from 'latchkey'
import { refills } from 'latchkey'
import { seconds } from './when.ts'

/**
 * Reads a limit that is written as one word.
 *
 * @example limitOf('burst=100/1m') // { name: 'burst', limit: 100, window: 60 }; `:report-only` or `:refuse-when-unavailable` may follow
 */
export function limitOf(text: string): Limit {
  const [, name = '', limit = '', window = '', reports, refuses] =
    /^([^=]+)=(\d{1,10})\/(\d{1,7}[smhdw])(:report-only)?(:refuse-when-unavailable)?$/.exec(text) ?? []
  if (name === '') {
    const [, counted, span] = /^([^=]+=\d{1,10}\/)(\d{1,7})$/.exec(text) ?? []
    if (span !== undefined)
      throw new InvalidArgumentError(`The window needs a unit: write ${counted}${span}s or ${counted}${span}m.`)
    throw new InvalidArgumentError(
      'It must be name=count/window, such as burst=100/1m, optionally followed by :report-only or :refuse-when-unavailable.',
    )
  }
  return {
    name,
    limit: Number(limit),
    window: seconds(window),
    ...(reports === undefined ? {} : { reportOnly: true }),
    ...(refuses === undefined ? {} : { whenUnavailable: 'refuse' }),
  }
}

const quotaForm = new RegExp(String.raw`^(\d{1,13})(?:/(${refills.join('|')}))?$`)

/**
 * Reads a quota that is written as one word.
 *
 * @example quotaOf('1000/month') // { amount: 1000, refill: 'month' }; '1000' is never refilled
 */
export function quotaOf(text: string): QuotaOptions {
  const [, amount = '', refill] = quotaForm.exec(text) ?? []
  if (amount === '')
    throw new InvalidArgumentError('It must be an amount, such as 1000, 1000/hour, 1000/day, 1000/week or 1000/month.')
  return { amount: Number(amount), refill: refills.find((period) => period === refill) ?? null }
}

/** The opposite of `limitOf`. */
export function limitText({ name, limit, window, reportOnly, whenUnavailable }: Limit): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
  ]
  const [size, unit] = units.find(([length]) => window % length === 0) ?? [1, 's']
  const endings = [
    reportOnly === true ? ':report-only' : '',
    whenUnavailable === 'refuse' ? ':refuse-when-unavailable' : '',
  ]
  return `${name}=${limit}/${window / size}${unit}${endings.join('')}`
}

/** The opposite of `quotaOf`. */
export function quotaText({ amount, refill }: Pick<QuotaOptions, 'amount' | 'refill'>): string {
  return refill === null || refill === undefined ? String(amount) : `${amount}/${refill}`
}
