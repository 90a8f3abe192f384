import type { Keyring, OpenKeyring } from 'latchkey'
import { openKeyring, settingsKey } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Settings } from './settings.ts'

/** What keys of this service may be allowed to do. */
export const scopes = { 'process:run': 'Run a processing task' }

export type Scope = keyof typeof scopes

/** The keyring: keys in the database, and the one in `SERVICE_API_KEY` if it is set. */
export async function openKeys({
  LATCHKEY_STORE,
  SERVICE_API_KEY: secret,
  NODE_ENV,
}: Settings): Promise<OpenKeyring<Scope>> {
  const fromSettings = { name: 'SERVICE_API_KEY', secret: secret ?? '', scopes: ['process:run'] }
  const allowWeak = NODE_ENV === 'development'
  const sources = secret === undefined ? [] : [settingsKey(fromSettings, { allowWeak })]
  return openKeyring({ store: sqliteStore({ file: LATCHKEY_STORE.slice('sqlite:'.length) }), scopes, sources })
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
