import type { Store } from 'latchkey'

// The only file that knows the kinds of databases. LATCHKEY_STORE has the address of a store.

const sqlite = 'sqlite:'

/** What the address of a store must be; follows the name of the setting in a message. */
export const storeMust = 'sqlite: and the path of a file, such as sqlite:data/latchkey.db'

/** Whether a text is the address of a store. */
export function isStore(address: string): boolean {
  // The operating system would end the path at a zero byte.
  return address.startsWith(sqlite) && address.length > sqlite.length && !address.includes('\0')
}

/** The file of a store, or `:memory:`. */
export function fileOf(address: string): string {
  return address.slice(sqlite.length)
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
  const { sqliteStore } = await import('latchkey/store/sqlite')
  return sqliteStore({ file: fileOf(address), mode, ...options })
}

/** Whether a process has the store open now. */
export async function isInUse(address: string): Promise<boolean> {
  const { isInUse: isFileInUse } = await import('latchkey/store/sqlite')
  return isFileInUse(fileOf(address))
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
  await backupSqlite({ file: fileOf(address), copy: to, progress })
}
