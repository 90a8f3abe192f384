import type { Store } from 'latchkey'
import type { PostgresStoreOptions } from 'latchkey/store/postgres'

// The only file that knows the kinds of databases. LATCHKEY_STORE has the address of a store.

const sqlite = 'sqlite:'

/** Connections of one process to PostgreSQL, one of which only listens. */
const mostConnections = 10

/** What the address of a store must be; follows the name of the setting in a message. */
export const storeMust =
  'sqlite: and the path of a file, such as sqlite:data/latchkey.db, or postgres:// with a host and the name of a database'

/** Whether a text is the address of a store. */
export function isStore(address: string): boolean {
  // The operating system would end the path at a zero byte.
  if (address.startsWith(sqlite)) return address.length > sqlite.length && !address.includes('\0')
  return postgresUrl(address) !== undefined
}

/** Taken apart here: an error of another parser might repeat the address, with the password. */
function postgresUrl(address: string): URL | undefined {
  const url = URL.parse(address)
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol) || url.hostname === '' || url.hash !== '')
    return undefined
  try {
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part)
  } catch {
    return undefined
  }
  return /^\/[^/]+$/.test(url.pathname) ? url : undefined
}

/** Whether the address of a store has a password in it. */
export function hasPassword(address: string): boolean {
  if (address.startsWith(sqlite)) return false
  const url = URL.parse(address)
  return url === null ? address.includes('@') : url.password !== '' || url.searchParams.has('password')
}

/** The file of a store, or `:memory:`; `undefined` for one across a network. */
export function fileOf(address: string): string | undefined {
  return address.startsWith(sqlite) ? address.slice(sqlite.length) : undefined
}

/** Where a store is, for people: never with a password. */
export function placeOf(address: string): string {
  const url = postgresUrl(address)
  if (url === undefined) return fileOf(address) ?? ''
  return `${url.protocol}//${url.username === '' ? '' : `${url.username}@`}${url.host}${url.pathname}`
}

/** The address of the store in a file. */
export function storeIn(file: string): string {
  return `${sqlite}${file}`
}

/** The purpose of opening a store: to migrate it, to create it, to write, or only to read. */
export type StoreMode = 'migrate' | 'create' | 'write' | 'read'

/** A store, and the number of migration steps that ran when it was opened. */
export interface OpenStore extends Store {
  readonly migrated: number
  /**
   * Writes it anew, so that nothing of what was deleted is left in its files. Answers `false` if somebody reads a state of
   * before.
   */
  readonly rewrite: (progress: (written: number, total: number) => void) => Promise<boolean>
}

/** How a store that is opened behaves, and what it tells. */
export interface StoreOptions {
  /** Called once, when another process accepts calls on the same store. */
  readonly onShared?: () => void
  /** Called before each step that brings older tables up to date; meanwhile the process does nothing else. */
  readonly onMigration?: (step: { readonly step: number; readonly steps: number }) => void
  /** When a call that spent from a quota is answered. */
  readonly quotaDurability?: 'second' | 'full'
  /** Whether what may read many rows is read in a thread of its own. */
  readonly readerThread?: boolean
  /** The name of this process, as other instances see it. */
  readonly instance?: string
}

/**
 * Opens the store at an address.
 *
 * @throws LatchkeyError `store_unusable`; with the `cause` `older schema` or `newer schema` if it is of another version.
 *
 * @example const store = await openStore('sqlite:data/latchkey.db')
 */
export async function openStore(
  address: string,
  mode: StoreMode = 'migrate',
  options: StoreOptions = {},
): Promise<OpenStore> {
  const { instance, ...local } = options
  const file = fileOf(address)
  if (file === undefined) {
    const { onMigration } = local
    return openPostgres(address, {
      mode,
      ...(instance === undefined ? {} : { instance }),
      ...(onMigration === undefined ? {} : { onMigration }),
    })
  }
  const { sqliteStore } = await import('latchkey/store/sqlite')
  return sqliteStore({ file, mode, ...local })
}

/** Milliseconds to connect in: a host that does not answer is given up. */
const longestConnect = 2000

async function openPostgres(address: string, options: Omit<PostgresStoreOptions, 'pool'>): Promise<OpenStore> {
  const [{ default: pg }, { postgresStore }] = await Promise.all([import('pg'), import('latchkey/store/postgres')])
  const pool = new pg.Pool({
    connectionString: address,
    application_name: 'latchkey',
    max: mostConnections,
    connectionTimeoutMillis: longestConnect,
    keepAlive: true,
  })
  // A connection that is lost while nobody uses it is replaced by the next use, which says what is wrong.
  pool.on('error', () => {})
  try {
    const store = await postgresStore({ ...options, pool })
    return {
      ...store,
      rewrite: async () => false,
      async close() {
        await store.close()
        if (!pool.ended && !pool.ending) await pool.end()
      },
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** Whether a process has the file of a store open now. */
export async function isInUse(address: string): Promise<boolean> {
  const file = fileOf(address)
  if (file === undefined) return false
  const { isInUse: isFileInUse } = await import('latchkey/store/sqlite')
  return isFileInUse(file)
}

/** Options of a copy. */
export interface CopyOptions {
  /** A file that does not exist yet. */
  readonly to: string
  /** Called between steps with how many pages are left of how many. */
  readonly progress: (left: number, total: number) => void
}

/**
 * Copies a store of any version into a file, while others work on it.
 *
 * @throws LatchkeyError `store_unusable`; an error of the file system, `EEXIST` if the file exists.
 */
export async function copyStore(address: string, { to, progress }: CopyOptions): Promise<void> {
  const { backupSqlite } = await import('latchkey/store/sqlite')
  await backupSqlite({ file: fileOf(address) ?? '', copy: to, progress })
}
