import type { Keyring, KeySource, OpenKeyring } from 'latchkey'
import { openKeyring, settingsKey } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Settings } from './settings.ts'

/** The scopes of keys of this service. */
export const scopes = { 'process:run': 'Run a processing task' }

export type Scope = keyof typeof scopes

/**
 * The key in `SERVICE_API_KEY`, if it is set.
 *
 * @throws LatchkeyError `weak_key`, but not in development.
 */
export function sourcesOf({ SERVICE_API_KEY: secret, NODE_ENV }: Settings): readonly KeySource[] {
  if (secret === undefined) return []
  const key = { name: 'SERVICE_API_KEY', secret, scopes: ['process:run'] }
  return [settingsKey(key, { allowWeak: NODE_ENV === 'development' })]
}

/** The keyring: keys in the database, and those of the sources. */
export async function openKeys(
  { LATCHKEY_STORE }: Settings,
  sources: readonly KeySource[],
): Promise<OpenKeyring<Scope>> {
  return openKeyring({ store: sqliteStore({ file: fileOf(LATCHKEY_STORE) }), scopes, sources })
}

/** The file in a setting such as `sqlite:data/latchkey.db`. */
export function fileOf(store: string): string {
  return store.slice('sqlite:'.length)
}

/** The first key of a keyring that has none, so that there is one to call the service with. */
export async function issueFirstKey(keyring: Keyring<Scope>): Promise<string | undefined> {
  const { keys } = await keyring.list({ environment: 'live', limit: 1 })
  if (keys.length > 0) return undefined
  const key = { name: 'First key', owner: 'me', scopes: ['process:run'] } as const
  // Of two processes that start at once on one database, one issues a key and shows it.
  const made = await keyring.issueMany([key], { actor: 'first start', idempotencyKey: 'first key' })
  return made.repeated ? undefined : made.created[0]?.secret
}
