import { InvalidArgumentError } from 'commander'
import type { Loose } from '../lines.ts'
import type { Row, Taken } from './row.ts'
import { issueOf, limitFrom, rowOf } from './row.ts'

/** Random bits of a key as Unkey makes it unless told otherwise: 16 bytes. */
const usualBits = 128

/** A row of the table `keys`, with what the query of the guide adds: `external_id`, `permissions` and `ratelimits`. */
export function unkeyKey(loose: Loose, now: number): Taken {
  const row = rowOf(loose)
  const expiresAt = row.time('expires')
  if (expiresAt !== undefined && expiresAt <= now) return { leftOut: 'the key has expired' }
  if (row.text('deleted_at_m') !== undefined) return { leftOut: 'the key was deleted' }
  if (row.text('for_workspace_id') !== undefined) return { leftOut: 'it is a root key of Unkey itself' }
  if (row.text('pending_migration_id') !== undefined) {
    return { leftOut: 'its hash is still that of the system before Unkey' }
  }
  const start = row.text('start')
  const environment = row.text('environment')
  const lastUsedAt = row.time('last_used_at') || undefined
  const meta = row.json('meta')
  const isObject = typeof meta === 'object' && meta !== null && !Array.isArray(meta)
  const limits = limitsOf(row)
  const quota = quotaOf(row)
  return {
    fields: {
      name: row.text('name') ?? start ?? row.mustHave('id'),
      owner: row.text('external_id') ?? row.text('owner_id') ?? row.text('identity_id') ?? row.mustHave('workspace_id'),
      scopes: permissionsOf(row.json('permissions')),
      hash: row.mustHave('hash'),
      bits: usualBits,
      ...(start === undefined ? {} : { start: start.slice(0, 16) }),
      ...(environment === undefined ? {} : { environment }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(isObject ? { metadata: meta } : {}),
      ...quota.fields,
      ...(limits.limits.length === 0 ? {} : { limits: limits.limits }),
      ...issueOf(row.time('created_at_m') || undefined, now),
      ...(lastUsedAt === undefined ? {} : { lastUsedAt: Math.min(now, lastUsedAt) }),
      disabled: !row.mustSay('enabled'),
    },
    losses: [
      ...quota.losses,
      ...limits.losses,
      ...(isObject || meta === undefined || meta === null ? [] : ['its metadata, which is no object']),
    ],
  }
}

function permissionsOf(permissions: unknown): readonly string[] {
  if (permissions === undefined)
    throw new InvalidArgumentError('its column permissions is missing: take the query of the guide')
  if (permissions !== null && !Array.isArray(permissions))
    throw new InvalidArgumentError('its column permissions is not a list')
  return [...new Set((permissions ?? []).filter((name: unknown) => name !== null).map(String))]
}

function quotaOf(row: Row): { readonly fields: Loose; readonly losses: readonly string[] } {
  const remaining = row.number('remaining_requests')
  if (remaining === undefined) return { fields: {}, losses: [] }
  const refill = row.number('refill_amount')
  if (refill === undefined) return { fields: { quota: { amount: remaining } }, losses: [] }
  const day = row.number('refill_day')
  const amount = Math.max(refill, remaining)
  return {
    fields: { quota: { amount, refill: day === undefined ? 'day' : 'month', remaining } },
    losses: [
      ...(amount === refill ? [] : ['its smaller refill: what is left now is the amount of the quota']),
      ...(day === undefined || day === 1 ? [] : ['the day of its refill: here a month begins on its first day']),
    ],
  }
}

/** The limits of a key that Unkey applies by itself. The others name what a caller may ask for. */
function limitsOf(row: Row): { readonly limits: readonly object[]; readonly losses: readonly string[] } {
  const listed = row.json('ratelimits') ?? []
  if (!Array.isArray(listed)) throw new InvalidArgumentError('its column ratelimits is not a list')
  const all = listed.filter((one): one is Loose => typeof one === 'object' && one !== null && 'limit' in one).map(rowOf)
  const applied = all.filter((one) => one.boolean('auto_apply') === true)
  const made = applied.map((one, index) =>
    limitFrom(nameOf(one.text('name'), index), {
      limit: one.number('limit') ?? 0,
      milliseconds: one.number('duration') ?? 0,
    }),
  )
  return {
    limits: made.flatMap(({ limits }) => limits),
    losses: [
      ...made.flatMap(({ losses }) => losses),
      ...(applied.length === all.length ? [] : ['its limits that apply only when a call names them']),
    ],
  }
}

/** Names of limits have another form here. */
function nameOf(name: string | undefined, index: number): string {
  const spelt = (name ?? '').toLowerCase().replaceAll(/[^a-z0-9_-]/g, '-')
  return /^[a-z][a-z0-9_-]{0,31}$/.test(spelt) && spelt !== 'quota' ? spelt : `limit-${index + 1}`
}
