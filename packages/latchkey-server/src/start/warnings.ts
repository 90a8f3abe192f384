import type { Stats } from 'node:fs'
import { readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname } from 'node:path'
import { parseEnv } from 'node:util'

/** The facts about a start. */
export interface StartFacts {
  /** The address that the server listens on. */
  readonly host: string
  /** The trusted proxies; `undefined` if there is no such setting. */
  readonly trustedProxies?: readonly string[]
  /** The database file, or `:memory:`. */
  readonly file: string
}

/** Settings that are secrets. */
const secretSettings = ['SERVICE_API_KEY', 'LATCHKEY_ADMIN_KEY', 'LATCHKEY_CREDENTIAL']

/**
 * Returns a sentence for each setting that works but is probably a mistake: no TLS, a file or a folder that others may
 * read or change. Each sentence says what to do.
 *
 * @example for (const warning of startWarnings({ host: '0.0.0.0', file: 'data/latchkey.db' })) app.log.warn(warning)
 */
export function startWarnings({ host, trustedProxies, file }: StartFacts, environmentFile = '.env'): readonly string[] {
  const found: string[] = []
  if (!isLoopback(host) && (trustedProxies ?? []).length === 0) {
    const remedy =
      trustedProxies === undefined
        ? 'Let something in front speak TLS, and listen on 127.0.0.1.'
        : 'Let a proxy in front speak TLS, and name it in LATCHKEY_TRUSTED_PROXIES.'
    found.push(`Listening on ${host} without TLS: keys cross the network as they are. ${remedy}`)
  }
  const environment = statusOf(environmentFile)
  if (environment !== undefined && isOpen(environment, 0o044) && holdsSecret(environmentFile)) {
    found.push(
      `${environmentFile} has a key in it, and others on this machine may read it: chmod 600 ${environmentFile}`,
    )
  }
  const folder = file === ':memory:' ? undefined : dirname(file)
  const status = folder === undefined ? undefined : statusOf(folder)
  // In a sticky folder only the owner of a file may replace it.
  if (status !== undefined && isOpen(status, 0o022) && (status.mode & 0o1000) === 0) {
    found.push(`Others on this machine may put another file in the place of the database: chmod go-w ${folder}`)
  }
  return found
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function statusOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

/** Windows has other file permissions. */
function isOpen({ mode }: Stats, bits: number): boolean {
  return process.platform !== 'win32' && (mode & bits) !== 0
}

function holdsSecret(file: string): boolean {
  const settings = parseEnv(readFileSync(file, 'utf8').replace(/^\ufeff/, ''))
  const hasPassword = (settings['LATCHKEY_LIMITER'] ?? '').includes('@')
  return hasPassword || secretSettings.some((name) => (settings[name] ?? '') !== '')
}
