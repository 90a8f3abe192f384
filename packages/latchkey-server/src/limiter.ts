import type { Limiter, LimiterState } from 'latchkey'

// The only file that knows the kinds of limiters. LATCHKEY_LIMITER has the address of one.

/** What the address of a limiter must be; follows the name of the setting in a message. */
export const limiterMust =
  'memory, or the address of a Redis or Valkey such as redis://127.0.0.1:6379/0, rediss:// with TLS, with nothing behind the number of the database but ?prefix=word'

/** Where a Redis is, and how its keys begin. */
interface RedisPlace {
  readonly socket: { readonly host: string; readonly port: number; readonly tls?: true }
  readonly username?: string
  readonly password?: string
  readonly database?: number
  readonly prefix?: string
}

/** Whether a text is the address of a limiter. */
export function isLimiter(address: string): boolean {
  return address === 'memory' || placeOf(address) !== undefined
}

/** Whether the address of a limiter has a password in it. */
export function hasPassword(address: string): boolean {
  return address.includes('@')
}

/** Where a limiter is, without its password; `undefined` for one in memory. */
export function limiterPlace(address: string): { readonly host: string; readonly tls: boolean } | undefined {
  const place = placeOf(address)
  return place && { host: place.socket.host, tls: place.socket.tls === true }
}

/** Its parts are taken apart here: an error of another parser might repeat the address, with the password. */
function placeOf(address: string): RedisPlace | undefined {
  const url = URL.parse(address)
  const [, database] = /^\/?(\d{0,5})$/.exec(url?.pathname ?? 'none') ?? []
  const [, prefix, more] = /^(?:\?prefix=([\w-]{1,32}))?(.*)$/s.exec(url?.search ?? '') ?? []
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return undefined
  if (database === undefined || more !== '' || url.hash !== '') return undefined
  const [username, password] = [decoded(url.username), decoded(url.password)]
  if (username === undefined || password === undefined) return undefined
  return {
    socket: {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 6379),
      ...(url.protocol === 'rediss:' ? { tls: true } : {}),
    },
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(database === '' ? {} : { database: Number(database) }),
    ...(prefix === undefined ? {} : { prefix }),
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * Opens the limiter at an address, also where it cannot be reached; `undefined` for the one in memory, which a keyring
 * brings.
 *
 * @example const limiter = await openLimiter('redis://127.0.0.1:6379', {})
 */
export async function openLimiter(
  address: string,
  options: { readonly instances?: number | undefined; readonly onChange?: (state: LimiterState) => void },
): Promise<Limiter | undefined> {
  const place = placeOf(address)
  if (place === undefined) return undefined
  const { instances, onChange } = options
  const { prefix, ...where } = place
  const [{ createClient }, { redisLimiter }] = await Promise.all([
    import('@redis/client'),
    import('latchkey/limiter/redis'),
  ])
  return redisLimiter({
    client: createClient(where),
    ...(prefix === undefined ? {} : { prefix }),
    ...(instances === undefined ? {} : { instances }),
    ...(onChange === undefined ? {} : { onChange }),
  })
}

/** What a Redis says of itself. */
export interface LimiterFacts {
  /** Redis or Valkey, and its version. */
  readonly version: string
  /** What it does when its memory is full. */
  readonly policy: string
  readonly isReplica: boolean
  readonly isCluster: boolean
}

/**
 * Asks the Redis at an address about itself, within two seconds.
 *
 * @throws Error without the address.
 */
export async function inspectLimiter(address: string): Promise<LimiterFacts> {
  const { prefix: _prefix, socket, ...where } = placeOf(address) ?? { socket: { host: '', port: 0 } }
  const { createClient } = await import('@redis/client')
  const client = createClient({ ...where, socket: { ...socket, connectTimeout: 2000, reconnectStrategy: false } })
  client.on('error', () => {})
  const giveUp = setTimeout(() => client.destroy(), 2000)
  try {
    await client.connect()
    const info = await client.sendCommand<string>(['INFO'])
    const [version, policy, role, cluster] = ['redis_version', 'maxmemory_policy', 'role', 'cluster_enabled'].map(
      (name) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1],
    )
    const valkey = /^valkey_version:(.*?)\r?$/m.exec(info)?.[1]
    return {
      version: valkey === undefined ? `Redis ${version ?? 'of an unknown version'}` : `Valkey ${valkey}`,
      policy: policy ?? 'unknown',
      isReplica: role === 'slave',
      isCluster: cluster === '1',
    }
  } finally {
    clearTimeout(giveUp)
    if (client.isOpen) client.destroy()
  }
}
