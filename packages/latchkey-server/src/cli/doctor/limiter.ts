import { isIP } from 'node:net'
import type { LimiterFacts } from '../../limiter.ts'
import { inspectLimiter, limiterPlace } from '../../limiter.ts'
import type { Finding } from './finding.ts'
import { fail, ok, warn } from './finding.ts'

const what = 'limiter'

/** Checks the Redis that counts for all instances; nothing for a limiter in memory. */
export async function limiterFindings(address: string): Promise<readonly Finding[]> {
  const place = limiterPlace(address)
  if (place === undefined) return []
  let facts: LimiterFacts
  try {
    facts = await inspectLimiter(address)
  } catch (error) {
    const remedy = 'Start it, or correct LATCHKEY_LIMITER. Until then each instance admits its share of each limit.'
    return [fail({ what, found: `the Redis does not answer: ${reasonOf(error)}`, remedy })]
  }
  const { host, tls } = place
  const isLocal = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  const remedy = 'Use rediss://, or a network that nobody else is in.'
  return [
    factsFinding(facts),
    ...(tls || isLocal ? [] : [warn({ what, found: 'its password crosses the network unencrypted', remedy })]),
  ]
}

function factsFinding({ version, policy, isReplica, isCluster }: LimiterFacts): Finding {
  if (isCluster) {
    const found = `${version} is a part of a cluster, and one address is not enough for that`
    return fail({ what, found, remedy: 'Name a Redis that is no part of a cluster.' })
  }
  if (isReplica) {
    const remedy = 'Name the primary, or an address that always leads to it.'
    return fail({ what, found: `${version} only repeats another one and cannot be written to`, remedy })
  }
  if (policy !== 'noeviction') {
    const found = `${version} forgets counts when its memory is full (maxmemory-policy ${policy})`
    return fail({ what, found, remedy: 'Set maxmemory-policy to noeviction.' })
  }
  return ok(what, `${version}, and it forgets nothing (noeviction)`)
}

/** The code of an error and not its text, which may have what the address has. */
function reasonOf(error: unknown): string {
  const { code, message = '' } = error as { readonly code?: unknown; readonly message?: string }
  if (typeof code === 'string') return code
  return /^([A-Z]{3,}) /.exec(message)?.[1] ?? 'no connection'
}
