import { statSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Retention } from 'latchkey'
import { adminEnvironment, bounds, namePattern } from 'latchkey'
import type { ForwardAuthAddress } from './config/forward-auth-address.ts'
import { forwardAuthAddress } from './config/forward-auth-address.ts'
import { isOrigin } from './config/origin.ts'
import type { Policies } from './config/policies-file.ts'
import { readPoliciesFile } from './config/policies-file.ts'
import { isProxyRange } from './config/proxy-range.ts'
import { readScopesFile } from './config/scopes-file.ts'
import type { IdentityKeys } from './identity/key-file.ts'
import { readIdentityFile } from './identity/key-file.ts'
import { hasPassword, isLimiter, limiterMust } from './limiter.ts'
import { secretSetting } from './start/secret-setting.ts'
import { unknownVariables } from './start/unknown-variables.ts'
import { fileOf, hasPassword as storeHasPassword, isStore, storeMust } from './store.ts'

/** The settings of the server. */
export interface Settings {
  readonly host: string
  readonly port: number
  /** Where keys are kept: `sqlite:` and a file, or `sqlite::memory:`. */
  readonly store: string
  /** Where limits are counted: `memory`, or the address of a Redis, which may have a password in it. */
  readonly limiter: string
  /** The least number of instances that share the limits; `undefined` if they count each other alone. */
  readonly limiterInstances: number | undefined
  /** `undefined`, like the next two, if not set: then the declaration in the database applies. */
  readonly prefix: string | undefined
  readonly environments: readonly [string, ...string[]] | undefined
  /** The scopes that keys may have, each with the sentence that the documentation shows. */
  readonly scopes: Readonly<Record<string, string>> | undefined
  /** Addresses and ranges of the proxies that are trusted to give the caller's address. */
  readonly trustedProxies: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly logLevel: (typeof logLevels)[number]
  /** The name of this process in refusals. */
  readonly instance: string | undefined
  /** Seconds between two writes of usage. */
  readonly usageInterval: number
  /** For how many days what has ended is kept; `null` for ever. */
  readonly retentionUsage: number | null
  readonly retentionUsageSums: number | null
  readonly retentionRefusals: number | null
  readonly retentionEndedSecrets: number | null
  readonly retentionRevokedKeys: number | null
  readonly quotaDurability: (typeof durabilities)[number]
  readonly cacheSize: number
  /** MiB. */
  readonly cacheMemory: number
  /** Seconds from the time that `/readyz` answers 503 to the time that the server stops listening. */
  readonly drainDelay: number
  /** The file for the first admin key, if there is no admin key yet. */
  readonly firstAdminKeyFile: string | undefined
  /** Where proxies ask whether a request may pass; nowhere if not set. */
  readonly forwardAuth: ForwardAuthAddress | undefined
  /** What proxies may ask for, by name. */
  readonly policies: Policies | undefined
  /** Addresses and ranges of the proxies on other machines that may ask without an admin key. */
  readonly forwardAuthProxies: readonly string[]
  /** The file with the keys that sign identities, and what it held at the start. */
  readonly identity: { readonly file: string; readonly keys: IdentityKeys } | undefined
}

/** One row of the table of settings. */
export interface Setting<Value> {
  /** The environment variable. */
  readonly variable: string
  /** The flag in commander's notation. */
  readonly flag: string
  /** The default, as a user would write it; empty if there is none. */
  readonly fallback: string
  /** One sentence for `--help` and the docs page. */
  readonly help: string
  /**
   * What the value must be; follows the name in a message. It never repeats the value, which may be a secret in the
   * wrong place.
   */
  readonly must: string
  /** Reads the value from a text; `undefined` if the text does not fit. */
  readonly read: (text: string) => Value | undefined
  /** A more exact `must` for a text that does not fit; `must` if left out. */
  readonly mustInstead?: (text: string) => string | undefined
  /**
   * Whether a text is a secret. Such a setting is also read from the file that the variable with `_FILE` at its end names,
   * and no flag may have a secret: other users of the machine see flags.
   */
  readonly isSecret?: (text: string) => boolean
}

/** Only commands read it; it is not a setting of the server. */
const otherVariables = [
  'LATCHKEY_URL',
  'LATCHKEY_ADMIN_KEY',
  'LATCHKEY_ADMIN_KEY_FILE',
  'LATCHKEY_CREDENTIAL',
  'LATCHKEY_CREDENTIAL_FILE',
]

/** A setting that says for how many days something is kept. */
function retention(
  [variable, flag]: readonly [variable: string, flag: string],
  { days, what }: { readonly days: number; readonly what: string },
): Setting<number | null> {
  return {
    variable: `LATCHKEY_RETENTION_${variable}`,
    flag: `--retention-${flag} <days>`,
    fallback: String(days),
    help: `Days for which ${what}, or \`forever\`.`,
    must: 'a whole number of days from 1 to 3650, or forever',
    read: (text) => (text === 'forever' ? null : integer(text, 1, 3650)),
  }
}

const durabilities = ['second', 'full'] as const

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** The only table of settings: the values, `--help` and the docs page come from it. */
export const settingsTable: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  host: {
    variable: 'HOST',
    flag: '--host <address>',
    fallback: '127.0.0.1',
    help: 'The address to listen on. `0.0.0.0` or `::` is every interface.',
    must: 'an address of this machine, such as 127.0.0.1 or ::, or a host name',
    read: (text) =>
      isIP(text) !== 0 || /^[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$/.test(text) ? text : undefined,
  },
  port: {
    variable: 'PORT',
    flag: '--port <number>',
    fallback: '8080',
    help: 'The port to listen on. With `0` the system chooses a free port.',
    must: 'a whole number from 0 to 65535',
    read: (text) => integer(text, 0, 65_535),
  },
  store: {
    variable: 'LATCHKEY_STORE',
    flag: '--store <address>',
    fallback: 'sqlite:data/latchkey.db',
    help: 'Where keys and the journal are stored: `sqlite:` and a file, which `serve` creates if it is missing; or for many instances `postgres://`, host, port and the name of a database, with `?sslmode=verify-full` for TLS. An address with a password belongs in the variable, or in the file that `LATCHKEY_STORE_FILE` names.',
    must: storeMust,
    read: (text) => (isStore(text) && !isFolder(fileOf(text) ?? '') ? text : undefined),
    isSecret: storeHasPassword,
    mustInstead: (text) =>
      isStore(text) && isFolder(fileOf(text) ?? '')
        ? 'sqlite: and the path of a file, and this is a folder'
        : storeMust,
  },
  limiter: {
    variable: 'LATCHKEY_LIMITER',
    flag: '--limiter <address>',
    fallback: 'memory',
    help: 'Where limits are counted: in the `memory` of this process, or for all instances together in a Redis or Valkey, `redis://` or `rediss://` (TLS), host, port and number of the database. An address with a password belongs in the variable, or in the file that `LATCHKEY_LIMITER_FILE` names.',
    must: limiterMust,
    read: (text) => (isLimiter(text) ? text : undefined),
    isSecret: hasPassword,
  },
  limiterInstances: {
    variable: 'LATCHKEY_LIMITER_INSTANCES',
    flag: '--limiter-instances <number>',
    fallback: '',
    help: 'The least number of instances by which a limit is divided while the Redis of `LATCHKEY_LIMITER` cannot be reached. The instances count each other there; this is for a start without it.',
    must: 'a whole number from 1 to 100000',
    read: (text) => integer(text, 1, 100_000),
  },
  prefix: {
    variable: 'LATCHKEY_PREFIX',
    flag: '--prefix <word>',
    fallback: 'lk',
    help: 'The text that every secret begins with, so that people and scanners recognise it. If it is not set, the last declaration in the database counts.',
    must: '1 to 16 lower-case letters and digits, beginning with a letter',
    read: (text) => (namePattern.test(text) ? text : undefined),
  },
  environments: {
    variable: 'LATCHKEY_ENVIRONMENTS',
    flag: '--environments <list>',
    fallback: 'live,test',
    help: 'The environments of keys. Keys are issued for the first one by default. If they are not set, the last declaration in the database counts.',
    must: `words of lower-case letters and digits, 1 to 16 long, separated by commas, each once and none of them ${adminEnvironment}`,
    read: (text) => {
      const words = listOf(text)
      const fits =
        words.every((one) => namePattern.test(one) && one !== adminEnvironment) && new Set(words).size === words.length
      return fits && words.length > 0 ? (words as [string, ...string[]]) : undefined
    },
  },
  scopes: {
    variable: 'LATCHKEY_SCOPES_FILE',
    flag: '--scopes <file>',
    fallback: '',
    help: 'A file that declares the scopes: `{ "orders:read": "Read orders" }`. If it is not set, the last declaration in the database counts.',
    must: 'the path of a file in JSON such as { "orders:read": "Read orders" }, with names written resource:action',
    read: (file) => readScopesFile(file).scopes,
    mustInstead: (file) => readScopesFile(file).must,
  },
  trustedProxies: {
    variable: 'LATCHKEY_TRUSTED_PROXIES',
    flag: '--trusted-proxies <list>',
    fallback: '',
    help: 'Proxies whose `X-Forwarded-For` is trusted and read from its end. Without any, the address of the connection counts. The widest range is /8 (IPv6: /16).',
    must: 'addresses or ranges separated by commas, such as 10.0.0.0/8,fd12:3456:789a::/48, none wider than /8 (IPv6: /16, and /104 below ::/16)',
    read: (text) => everyOne(listOf(text), isProxyRange),
  },
  corsOrigins: {
    variable: 'LATCHKEY_CORS_ORIGINS',
    flag: '--cors-origins <list>',
    fallback: '',
    help: 'Web pages that may call the server from a browser. By default there are none.',
    must: 'exact origins separated by commas, such as https://admin.example.com, without a path and without *',
    read: (text) => everyOne(listOf(text), isOrigin),
  },
  logLevel: {
    variable: 'LOG_LEVEL',
    flag: '--log-level <level>',
    fallback: 'info',
    help: `How much is logged: ${logLevels.map((level) => `\`${level}\``).join(', ')}.`,
    must: `one of ${logLevels.join(', ')}`,
    read: (text) => logLevels.find((level) => level === text),
  },
  instance: {
    variable: 'LATCHKEY_INSTANCE',
    flag: '--instance <name>',
    fallback: '',
    help: 'The name of this process, which the refusals of its calls tell, and other instances that wait for it. If it is not set, it is the name of the host and the id of the process.',
    must: `1 to ${bounds.label} visible ASCII characters, with single spaces between them`,
    read: (text) => (text.length <= bounds.label && /^[!-~]+(?: [!-~]+)*$/.test(text) ? text : undefined),
  },
  usageInterval: {
    variable: 'LATCHKEY_USAGE_INTERVAL',
    flag: '--usage-interval <seconds>',
    fallback: '10',
    help: 'Seconds between two writes of usage. A crash loses at most the usage of this time.',
    must: 'a whole number of seconds from 1 to 3600',
    read: (text) => integer(text, 1, 3600),
  },
  retentionUsage: retention(['USAGE', 'usage'], { days: 90, what: 'usage by the hour is kept' }),
  retentionUsageSums: retention(['USAGE_SUMS', 'usage-sums'], {
    days: 400,
    what: 'sums of usage by day are kept, at least as long as usage by the hour',
  }),
  retentionRefusals: retention(['REFUSALS', 'refusals'], {
    days: 30,
    what: 'refusals are kept, whose number is bounded besides',
  }),
  retentionEndedSecrets: retention(['ENDED_SECRETS', 'ended-secrets'], {
    days: 90,
    what: 'a secret that a rotation has ended is kept',
  }),
  retentionRevokedKeys: retention(['REVOKED_KEYS', 'revoked-keys'], {
    days: 365,
    what: 'a revoked key is kept',
  }),
  quotaDurability: {
    variable: 'LATCHKEY_QUOTA_DURABILITY',
    flag: '--quota-durability <when>',
    fallback: 'second',
    help: 'When a call that spent from a quota is answered. `second`: at once, and a loss of power may give back what was spent in the last second. `full`: once it is on the disk.',
    must: `one of ${durabilities.join(', ')}`,
    read: (text) => durabilities.find((durability) => durability === text),
  },
  cacheSize: {
    variable: 'LATCHKEY_CACHE_SIZE',
    flag: '--cache-size <keys>',
    fallback: '50000',
    help: 'The number of verified keys that are held in memory.',
    must: 'a whole number from 2 to 10000000',
    read: (text) => integer(text, 2, 10_000_000),
  },
  cacheMemory: {
    variable: 'LATCHKEY_CACHE_MEMORY',
    flag: '--cache-memory <MiB>',
    fallback: '64',
    help: 'The memory, roughly, that verified keys may take. Refused credentials may take the same amount again.',
    must: 'a whole number of MiB from 1 to 65536',
    read: (text) => integer(text, 1, 65_536),
  },
  drainDelay: {
    variable: 'LATCHKEY_DRAIN_DELAY',
    flag: '--drain-delay <seconds>',
    fallback: '0',
    help: 'Seconds, when the server stops, in which `/readyz` already answers 503 while requests are still served, so that a load balancer notices.',
    must: 'a whole number of seconds from 0 to 300',
    read: (text) => integer(text, 0, 300),
  },
  firstAdminKeyFile: {
    variable: 'LATCHKEY_FIRST_ADMIN_KEY_FILE',
    flag: '--first-admin-key-file <path>',
    fallback: '',
    help: 'The file for the first admin key (mode 600), for starts without a terminal. It is written if the database has no admin key.',
    must: 'the path of a file that does not exist yet, in a folder that does',
    read: (text) => (/^[^\0]+$/.test(text) ? text : undefined),
  },
  forwardAuth: {
    variable: 'LATCHKEY_FORWARD_AUTH',
    flag: '--forward-auth <address>',
    fallback: '',
    help: 'The address for proxies that ask whether a request may pass: `unix:` and a path, or a host and a port. If it is not set, no proxy can ask.',
    must: 'unix: and the path of a socket of at most 103 bytes, or a host and a port, such as 127.0.0.1:8081 or [::1]:8081',
    read: forwardAuthAddress,
  },
  policies: {
    variable: 'LATCHKEY_POLICIES',
    flag: '--policies <file>',
    fallback: '',
    help: 'A file with what proxies may ask for, by name: `{ "process": { "scopes": ["process:run"] } }`.',
    must: 'the path of a file in JSON such as { "process": { "scopes": ["process:run"] } }',
    read: (file) => readPoliciesFile(file).policies,
    mustInstead: (file) => readPoliciesFile(file).must,
  },
  forwardAuthProxies: {
    variable: 'LATCHKEY_FORWARD_AUTH_PROXIES',
    flag: '--forward-auth-proxies <list>',
    fallback: '',
    help: 'Proxies on other machines that may ask without an admin key. Every program at these addresses may then ask. The widest range is /8 (IPv6: /16).',
    must: 'addresses or ranges separated by commas, such as 10.1.2.3,fd12:3456:789a::/48, none wider than /8 (IPv6: /16, and /104 below ::/16)',
    read: (text) => everyOne(listOf(text), isProxyRange),
  },
  identity: {
    variable: 'LATCHKEY_IDENTITY_FILE',
    flag: '--identity-file <path>',
    fallback: '',
    help: 'The file with the private keys that sign identities (mode 600). `latchkey identity rotate` makes it. All instances have the same.',
    must: 'the path of a file that latchkey identity rotate has written',
    read: (file) => {
      const { found } = readIdentityFile(file)
      return found && { file, keys: found }
    },
    mustInstead: (file) => readIdentityFile(file).must,
  },
}

/** The settings are wrong. Trying again does not help: the process ends with EX_CONFIG, 78. */
export class SettingsError extends Error {
  /** One sentence for each fault: it names the setting and what it must be, never its value. */
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'SettingsError'
    this.faults = faults
  }
}

/** The sources of settings; the first one that has a setting wins. */
export interface SettingsSources {
  /** The flags of the command line, by the names in `Settings`. */
  readonly flags?: { readonly [Name in keyof Settings]?: string | undefined }
  /** `process.env`. An empty variable counts as not set: a compose file unsets a variable in this way. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads and checks the settings.
 *
 * @throws SettingsError with one sentence for each fault.
 *
 * @example const { port } = readSettings({ environment: process.env, flags: { port: '8443' } })
 */
export function readSettings({ flags = {}, environment }: SettingsSources): Settings {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries<Setting<unknown>>(settingsTable)) {
    const flag = flags[name as keyof Settings]
    if (flag !== undefined && setting.isSecret?.(flag) === true) {
      faults.push(`${setting.flag.split(' ')[0]} must be without a password: set ${setting.variable} instead.`)
      continue
    }
    let configured = flag
    try {
      configured ??=
        setting.isSecret === undefined
          ? environment[setting.variable] || undefined
          : secretSetting(setting.variable, environment)
    } catch (error) {
      faults.push((error as Error).message)
      continue
    }
    if (configured === undefined && withoutDefault.has(name)) {
      values[name] = undefined
      continue
    }
    const text = configured ?? setting.fallback
    const value = text === '' && flag === undefined ? [] : setting.read(text)
    if (value === undefined) {
      const named = flag === undefined ? setting.variable : setting.flag.split(' ')[0]
      faults.push(`${named} must be ${setting.mustInstead?.(text) ?? setting.must}.`)
    } else values[name] = value
  }
  const variables = Object.values<Setting<unknown>>(settingsTable).flatMap(({ variable, isSecret }) =>
    isSecret === undefined ? [variable] : [variable, `${variable}_FILE`],
  )
  faults.push(...unknownVariables(environment, { known: [...variables, ...otherVariables] }))
  const settings = values as unknown as Settings
  if (faults.length === 0) faults.push(...missingForProxies(settings))
  if (faults.length > 0) throw new SettingsError(faults)
  return settings
}

/** The settings that the listener for proxies cannot do without. */
function missingForProxies({ forwardAuth, policies, identity }: Settings): readonly string[] {
  if (forwardAuth === undefined) return []
  const needed = { policies, identity }
  const missing = (['policies', 'identity'] as const).filter((name) => needed[name] === undefined)
  return missing.map((name) => `${settingsTable[name].variable} must be set where LATCHKEY_FORWARD_AUTH is.`)
}

/**
 * The settings without a default. The database has the first three: a forgotten variable must not take scopes from
 * keys.
 */
const withoutDefault: ReadonlySet<string> = new Set([
  'prefix',
  'environments',
  'scopes',
  'instance',
  'limiterInstances',
  'firstAdminKeyFile',
  'forwardAuth',
  'policies',
  'identity',
] satisfies (keyof Settings)[])

/** The settings that `openKeyring` takes; those that are not set are left out. */
export function declarationOf({ scopes, prefix, environments }: Settings): {
  readonly scopes?: Readonly<Record<string, string>>
  readonly prefix?: string
  readonly environments?: readonly [string, ...string[]]
} {
  return {
    ...(scopes === undefined ? {} : { scopes }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(environments === undefined ? {} : { environments }),
  }
}

/** The settings of `openKeyring` that say for how long what has ended is kept. */
export function retentionOf(settings: Settings): Required<Retention> {
  return {
    usage: settings.retentionUsage,
    usageSums: settings.retentionUsageSums,
    refusals: settings.retentionRefusals,
    endedSecrets: settings.retentionEndedSecrets,
    revokedKeys: settings.retentionRevokedKeys,
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    // A missing file is created later. If it cannot be reached, opening it reports the fault.
    return false
  }
}

function integer(text: string, least: number, most: number): number | undefined {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

function listOf(text: string): readonly string[] {
  return text.split(',').map((one) => one.trim())
}

function everyOne(list: readonly string[], fits: (one: string) => boolean): readonly string[] | undefined {
  return list.every(fits) ? list : undefined
}
