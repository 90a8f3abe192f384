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

const localTime = /^(?:(\d{4})-(\d\d)-(\d\d)[T ])?(\d\d):(\d\d)(?::(\d\d))?$/

/**
 * Reads a time as people say it, in milliseconds since 1970: `10:04` is the last 10:04 of the clock on the wall here, and
 * `2026-11-26 10:04` that of a day. With a zone it is ISO 8601; a span such as `30m` is before now.
 */
export function timeSaid(text: string): number {
  const [match, year, month, day, hour, minute, second = '0'] = localTime.exec(text) ?? []
  if (match === undefined) {
    if (/^\d\d:\d\d/.test(text)) return withZone(text)
    return timeAgo(text)
  }
  const now = new Date()
  const date = new Date(
    Number(year ?? now.getFullYear()),
    month === undefined ? now.getMonth() : Number(month) - 1,
    Number(day ?? now.getDate()),
    Number(hour),
    Number(minute),
    Number(second),
  )
  // `Date` reads 25:61, the 13th month and the 31st of February as some other time, and the year 50 as 1950.
  if (year !== undefined && date.getFullYear() !== Number(year)) throw unsaid()
  if (month !== undefined && date.getMonth() !== Number(month) - 1) throw unsaid()
  if (date.getHours() !== Number(hour) || date.getMinutes() !== Number(minute) || Number(second) > 59) throw unsaid()
  if (day === undefined && date.getTime() > now.getTime()) date.setDate(date.getDate() - 1)
  return date.getTime()
}

/** The last time of a clock in another zone, such as `10:04Z` or `10:04+02:00`. */
function withZone(text: string): number {
  const today = timeOfIso(`${new Date().toISOString().slice(0, 10)}T${text}`)
  if (today === undefined) throw unsaid()
  const aDay = 86_400_000
  return today > Date.now() ? today - aDay : today + aDay <= Date.now() ? today + aDay : today
}

function unsaid(): InvalidArgumentError {
  return new InvalidArgumentError(
    'It must be a time such as 10:04, "2030-01-31 10:04", 10:04Z, 2030-01-31T10:04:00+01:00, or a span before now such as 30m.',
  )
}

/** A time on the clock of this machine, with its zone. */
export function localText(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return String(at)
  const offset = -date.getTimezoneOffset()
  const two = (number: number): string => String(Math.trunc(number)).padStart(2, '0')
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`
}
