import { existsSync, rmdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { Option } from 'commander'
import type { Keyring } from 'latchkey'
import type { Settings } from '../config.ts'
import { declarationOf, readSettings, retentionOf, settingsTable } from '../config.ts'
import { openLimiter } from '../limiter.ts'
import type { OpenStore } from '../store.ts'
import { fileOf, openStore } from '../store.ts'
import { advised } from './advice.ts'
import { Failure } from './exit.ts'
import { secretFromEnvironment } from './input/secrets.ts'
import { inFlags } from './named-flags.ts'

/** Which keyring a command uses, and how it prints its answer. */
export interface TargetOptions {
  readonly json?: boolean
  readonly url?: string
  readonly insecureHttp?: boolean
  readonly store?: string
  readonly scopes?: string
  readonly prefix?: string
  readonly environments?: string
}

/** The settings that belong to a database. */
export const storeSettings: readonly (keyof Settings)[] = ['store', 'scopes', 'prefix', 'environments']

/** The flags of these settings, from the table of settings. */
export function settingOptions(names: readonly (keyof Settings)[]): readonly Option[] {
  return names.map((name) => {
    const { flag, help, variable, fallback } = settingsTable[name]
    return new Option(flag, `${sentence(help)} (${fallback === '' ? variable : `${variable}, ${fallback}`})`)
  })
}

/** The sentence for a list in the help: without backticks and full stop. */
function sentence(help: string): string {
  return help.replaceAll('`', '').replace(/\.$/, '')
}

/** The heading of the options that most commands share. */
export const commonHeading = 'Keyring and output:'

/** Puts an option under the heading of those that most commands share. */
export function common(option: Option): Option {
  return option.helpGroup(commonHeading)
}

/** Puts the shared options last, after the command's own. */
export function commonLast(options: readonly Option[]): Option[] {
  const isCommon = ({ helpGroupHeading }: Option): boolean => helpGroupHeading === commonHeading
  return [...options.filter((option) => !isCommon(option)), ...options.filter(isCommon)]
}

/** The settings from flags, then the environment, then `.env`. */
export function settingsOf(options: object): Settings {
  const values = options as Readonly<Record<string, string | undefined>>
  const flags = Object.fromEntries(
    Object.entries(settingsTable).map(([name, { flag }]) => [name, values[new Option(flag).attributeName()]]),
  )
  return readSettings({ flags, environment: process.env })
}

/** A keyring, and where it is. */
export interface Target {
  readonly keyring: Keyring
  readonly where: 'store' | 'server'
  /** Whether no scopes were ever declared, so that the scopes of keys cannot be judged. */
  readonly undeclared: boolean
}

/** How a command uses a database. */
export interface StoreUse {
  /** `read` changes nothing, not even the mode of the file. */
  readonly mode: 'read' | 'write'
  /** Whether to create a missing database. Without this, a wrong path is an error and not an empty keyring. */
  readonly create?: boolean | undefined
  /** Whether calls are counted, or looked at as they are counted: then where the server counts them. */
  readonly counts?: boolean
}

/**
 * Opens the keyring that the options name, uses it, and closes it: a running server with `--url`, otherwise the database.
 * A command that fails leaves no new database behind.
 *
 * @throws Failure `usage`, `settings`, `unavailable`; any error of the keyring.
 */
export async function withKeyring<Result>(
  options: TargetOptions,
  store: StoreUse,
  use: (target: Target) => Promise<Result>,
): Promise<Result> {
  const { unmake, ...target } = await openTarget(options, store)
  const { keyring } = target
  let failed = true
  try {
    const result = await use(target)
    failed = false
    return result
  } catch (error) {
    throw inFlags(error, options)
  } finally {
    const made = failed && unmake !== undefined && (await isEmpty(keyring))
    await keyring.close()
    if (made) unmake()
  }
}

/** Whether the database is still empty: another process may have written to it meanwhile. */
async function isEmpty(keyring: Keyring): Promise<boolean> {
  return (await keyring.journal({ limit: 1 })).entries.length === 0
}

async function openTarget(
  options: TargetOptions,
  { mode, create = false, counts = false }: StoreUse,
): Promise<Target & { readonly unmake?: () => void }> {
  const url = serverOf(options)
  if (url !== undefined) {
    if (create)
      throw new Failure('usage', '--create makes a database on this machine, and a server has its own. Leave it out.')
    const { connectKeyring } = await import('latchkey/client')
    const insecure = options.insecureHttp === true
    try {
      const keyring = await connectKeyring({ url, key: adminKey(), timeout: 30_000, insecure })
      return { keyring, where: 'server', undeclared: false }
    } catch (error) {
      throw (error as { readonly code?: unknown }).code === 'invalid_input'
        ? namedAsGiven(error as Error, options)
        : error
    }
  }
  const settings = settingsOf(options)
  const file = fileOf(settings.store)
  const unmake = create && file !== undefined && !existsSync(file) ? unmaking(file) : undefined
  if (!create && file !== undefined) mustExist(file, options)
  const { openKeyring } = await import('latchkey')
  let store: OpenStore
  try {
    store = await openStore(settings.store, create ? 'create' : mode, { readerThread: false })
  } catch (error) {
    throw unfit(error, options)
  }
  const limiter = counts ? await openLimiter(settings.limiter, { instances: settings.limiterInstances }) : undefined
  try {
    const keyring = await openKeyring({
      store,
      ...declarationOf(settings),
      retention: retentionOf(settings),
      ...(limiter === undefined ? {} : { limiter }),
    })
    const undeclared = settings.scopes === undefined && (await store.declared()) === undefined
    return { keyring, where: 'store', undeclared, ...(unmake === undefined ? {} : { unmake }) }
  } catch (error) {
    await limiter?.close()
    await store.close()
    unmake?.()
    throw error
  }
}

/** Returns a function that removes a database that is about to be created, with its new folders. */
function unmaking(file: string): () => void {
  const folders: string[] = []
  for (let folder = dirname(file); !existsSync(folder); folder = dirname(folder)) folders.push(folder)
  return () => {
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
    try {
      for (const folder of folders) rmdirSync(folder)
    } catch {
      // Another program has put a file there.
    }
  }
}

/** An error of the client, with the name of the flag or variable that the person has set. */
function namedAsGiven({ message }: Error, { url }: TargetOptions): Failure {
  const [, name = '', rule = ''] = /^(url|key) (must [^]*)$/.exec(message) ?? []
  const must = rule.replace('insecure: true', '--insecure-http')
  if (name === 'url' && url !== undefined) return new Failure('usage', `--url ${must}`)
  return new Failure(
    'settings',
    name === '' ? message : `${name === 'url' ? 'LATCHKEY_URL' : 'LATCHKEY_ADMIN_KEY'} ${must}`,
  )
}

/**
 * The address of the server, if there is one. A flag wins over the environment.
 *
 * @throws Failure `usage`, `settings` for an address with a password, which could be printed.
 */
export function serverOf({ url, store }: TargetOptions): string | undefined {
  if (url !== undefined && store !== undefined)
    throw new Failure('usage', '--url and --store name two different places. Use one of them.')
  if (url !== undefined) return withoutPassword('usage', '--url', url)
  const set = store === undefined ? process.env['LATCHKEY_URL'] || undefined : undefined
  return set === undefined ? undefined : withoutPassword('settings', 'LATCHKEY_URL', set)
}

function withoutPassword(exit: 'usage' | 'settings', name: string, url: string): string {
  // This finds a password in any text, also in one that is no valid address.
  if (!/^[^/?#]*\/\/[^/?#]*@|^[^/?#]*@/.test(url)) return url
  throw new Failure(exit, `${name} must not contain a user name or password.`)
}

/** @throws Failure `unavailable` if the database does not exist. */
export function mustExist(file: string, options: TargetOptions): void {
  if (file === ':memory:' || !existsSync(file))
    throw new Failure('unavailable', `There is no database at ${file}. ${makeOne}`, {
      commands: [advised('serve', options)],
    })
}

/** What to do if there is no database. */
export const makeOne =
  'Name another file with --store or LATCHKEY_STORE. To make one, add --create to keys issue or keys import, or start the server:'

/** An error of a database of another version, with the commands that help. */
function unfit(error: unknown, options: TargetOptions): unknown {
  const { message, cause } = error as Error
  return cause === 'older schema'
    ? new Failure('unavailable', message, { cause: error, commands: upgrade(options) })
    : error
}

/** The commands that update a database of an older version, with a backup first. */
export function upgrade({ store }: TargetOptions): readonly string[] {
  const target = store === undefined ? {} : { store }
  return [advised('backup before-the-upgrade.db', target), advised('migrate', target)]
}

function adminKey(): string {
  const key = secretFromEnvironment('LATCHKEY_ADMIN_KEY')
  if (key === undefined) {
    throw new Failure(
      'settings',
      'LATCHKEY_ADMIN_KEY must be an admin key of the server. Set it in the environment or .env, or name a file that holds it in LATCHKEY_ADMIN_KEY_FILE.',
    )
  }
  return key
}
