import { InvalidArgumentError } from 'commander'

const unitsInSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/**
 * Reads a span of time, in seconds.
 *
 * @example seconds('90s') // 90; '15m', '12h', '30d', '2w'
 */
export function seconds(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  const inSeconds = unitsInSeconds[unit]
  if (inSeconds === undefined) {
    throw new InvalidArgumentError(
      withoutUnit(text) ?? 'It must be a span of time, such as 90s, 15m, 12h, 30d or 2w; 0s is none.',
    )
  }
  return Number(count) * inSeconds
}

/** Says what to write in place of a number without a unit; `undefined` if the text is no number. */
function withoutUnit(text: string): string | undefined {
  if (!/^\d{1,9}$/.test(text)) return undefined
  if (Number(text) === 0) return 'A span of time needs a unit: write 0s.'
  const spans = Object.keys(unitsInSeconds).map((unit) => text + unit)
  return `A span of time needs a unit: write ${spans.slice(0, -1).join(', ')} or ${spans.at(-1)}.`
}

/** Reads a time, in milliseconds since 1970: ISO 8601, or a span from now on. */
export function timeAhead(text: string): number {
  return timestamp(text, (span) => Date.now() + span)
}

/** Reads a time, in milliseconds since 1970: ISO 8601, or a span before now. */
export function timeAgo(text: string): number {
  return timestamp(text, (span) => Date.now() - span)
}

const isoDate = /^(\d{4})-(\d\d)-(\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/

function timestamp(text: string, relative: (milliseconds: number) => number): number {
  if (/^\d+[smhdw]$/.test(text)) return relative(seconds(text) * 1000)
  const at = timeOfIso(text)
  if (at === undefined) {
    throw new InvalidArgumentError(
      withoutUnit(text) ??
        'It must be a time with its offset, such as 2030-01-31T12:00:00Z, a date (00:00 UTC), or a span such as 30d.',
    )
  }
  return at
}

/** Reads a time in ISO 8601, in milliseconds since 1970. A date begins at 00:00 UTC. */
export function timeOfIso(text: string): number | undefined {
  const [, year, month, day] = isoDate.exec(text) ?? []
  // `Date` reads the 31st of February as the 3rd of March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  const at = Date.parse(text)
  return Number.isNaN(at) || Number.isNaN(lastDay) || Number(day) > lastDay ? undefined : at
}

/** A time in ISO 8601; as a number if the database has one that is beyond all dates. */
export function iso(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString()
}
