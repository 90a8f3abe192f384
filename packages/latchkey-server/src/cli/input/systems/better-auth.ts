import { decodeHash } from 'latchkey'
import { InvalidArgumentError } from 'commander'
import type { Loose } from '../lines.ts'
import type { Row, Taken } from './row.ts'
import { issueOf, limitFrom, rowOf } from './row.ts'

/** Random bits of a key as the plugin makes it unless told otherwise: 64 letters of 52. */
const usualBits = 364

const hour = 3_600_000

/** Intervals in milliseconds that have a counterpart here. */
const refills: Readonly<Record<number, string>> = { [hour]: 'hour', [24 * hour]: 'day', [168 * hour]: 'week' }

/** A row of the table `apikey`. */
export function betterAuthKey(loose: Loose, now: number): Taken {
  const row = rowOf(loose)
  const expiresAt = row.time('expiresAt')
  if (expiresAt !== undefined && expiresAt <= now) return { leftOut: 'the key has expired' }
  const key = row.mustHave('key')
  if (decodeHash(key) === undefined) {
    throw new InvalidArgumentError(
      'its key is not hashed. With disableKeyHashing better-auth keeps the keys themselves: import those with --plain',
    )
  }
  const start = row.text('start')
  const quota = quotaOf(row)
  const limit = limitOf(row)
  const metadata = row.json('metadata')
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
  return {
    fields: {
      name: row.text('name') ?? start ?? row.mustHave('id'),
      // Before version 1.5 a key belonged to a user always.
      owner: row.text('referenceId') ?? row.mustHave('userId'),
      scopes: scopesOf(row.json('permissions')),
      hash: key,
      bits: usualBits,
      ...(start === undefined ? {} : { start: start.slice(0, 16) }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(isObject ? { metadata } : {}),
      ...quota.fields,
      ...(limit.limits.length === 0 ? {} : { limits: limit.limits }),
      ...issueOf(row.time('createdAt'), now),
      ...(row.time('lastRequest') === undefined ? {} : { lastUsedAt: Math.min(now, row.time('lastRequest') ?? now) }),
      // The column may be NULL, which better-auth takes as enabled.
      disabled: !row.mustSay('enabled', true),
    },
    losses: [
      ...quota.losses,
      ...limit.losses,
      ...(isObject || metadata === undefined || metadata === null ? [] : ['its metadata, which is no object']),
    ],
  }
}

/** `{"documents":["read"]}` is the scope `documents:read`. */
function scopesOf(permissions: unknown): readonly string[] {
  if (permissions === undefined || permissions === null) return []
  const wrong = new InvalidArgumentError('its column permissions is not an object of lists of texts')
  if (typeof permissions !== 'object' || Array.isArray(permissions)) throw wrong
  return Object.entries(permissions).flatMap(([resource, actions]: [string, unknown]) => {
    if (!Array.isArray(actions) || !actions.every((action) => typeof action === 'string')) throw wrong
    return actions.map((action) => `${resource}:${action}`)
  })
}

function quotaOf(row: Row): { readonly fields: Loose; readonly losses: readonly string[] } {
  const [remaining, refill, interval] = ['remaining', 'refillAmount', 'refillInterval'].map((name) => row.number(name))
  if (remaining === undefined) return { fields: {}, losses: [] }
  if (refill === undefined || interval === undefined) return { fields: { quota: { amount: remaining } }, losses: [] }
  const days = interval / (24 * hour)
  const period = refills[interval] ?? (days >= 28 && days <= 31 ? 'month' : undefined)
  if (period === undefined) {
    return {
      fields: { quota: { amount: remaining } },
      losses: ['its refill: here a quota is refilled by hour, day, week or month'],
    }
  }
  const amount = Math.max(refill, remaining)
  return {
    fields: { quota: { amount, refill: period, remaining } },
    losses: [
      ...(amount === refill ? [] : ['its smaller refill: what is left now is the amount of the quota']),
      'the moment of its refill: here a quota is refilled when the UTC period begins',
    ],
  }
}

function limitOf(row: Row): ReturnType<typeof limitFrom> {
  const [limit, milliseconds] = [row.number('rateLimitMax'), row.number('rateLimitTimeWindow')]
  if (row.boolean('rateLimitEnabled') !== true || limit === undefined || milliseconds === undefined) {
    return { limits: [], losses: [] }
  }
  return limitFrom('rate', { limit, milliseconds })
}
