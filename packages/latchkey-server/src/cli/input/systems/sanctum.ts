import { InvalidArgumentError } from 'commander'
import type { Loose } from '../lines.ts'
import type { Taken } from './row.ts'
import { issueOf, rowOf } from './row.ts'

/** Random bits of a token: 40 characters of 62. */
const usualBits = 238

/** A row of the table `personal_access_tokens`. A caller has its id, `|`, and the part whose hash is `token`. */
export function sanctumKey(loose: Loose, now: number): Taken {
  const row = rowOf(loose)
  const expiresAt = row.time('expires_at')
  if (expiresAt !== undefined && expiresAt <= now) return { leftOut: 'the key has expired' }
  const before = `${row.mustHave('id')}|`
  const lastUsedAt = row.time('last_used_at')
  const abilities = row.json('abilities') ?? []
  if (!Array.isArray(abilities)) throw new InvalidArgumentError('its column abilities is not a list')
  return {
    fields: {
      name: row.text('name') ?? before,
      owner: `${row.mustHave('tokenable_type')}:${row.mustHave('tokenable_id')}`,
      scopes: abilities.map(String),
      hash: row.mustHave('token'),
      before,
      bits: usualBits,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...issueOf(row.time('created_at'), now),
      ...(lastUsedAt === undefined ? {} : { lastUsedAt: Math.min(now, lastUsedAt) }),
    },
    losses: [],
  }
}
