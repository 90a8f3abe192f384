import type { OpenKeyring } from 'latchkey'
import { adminEnvironment, adminScopes } from 'latchkey'

/**
 * Issues the first admin key of a keyring that has none, and answers its secret: print it once, to the terminal, and to
 * no log. `undefined` when there is an admin key, in whatever state. Of several processes that start at once on one
 * store, one gets the secret.
 *
 * @example const secret = await firstAdminKey(keyring)
 */
export async function firstAdminKey(keyring: OpenKeyring): Promise<string | undefined> {
  const { keys } = await keyring.list({ environment: adminEnvironment, limit: 1 })
  if (keys.length > 0) return undefined
  const wanted = {
    name: 'First admin key',
    owner: 'operator',
    environment: adminEnvironment,
    scopes: Object.keys(adminScopes),
    delegation: { owner: null, environments: [...keyring.environments, adminEnvironment], scopes: ['*'] },
  }
  // Two that saw no key issue it with one token: the second is a repetition, and is not told the secret.
  const made = await keyring.issueMany([wanted], { actor: 'first start', idempotencyKey: 'first admin key' })
  return made.repeated ? undefined : made.created[0]?.secret
}
