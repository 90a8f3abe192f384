import type { AdminScope, Issued, Keyring, KeyMembers, OpenKeyring } from 'latchkey'
import { adminEnvironment, adminScopes, everyScope } from 'latchkey'
import { reserveFile } from './start.ts'

/**
 * Issues the first admin key of a keyring and returns its secret; `undefined` if there is an admin key already, in any
 * state. Print the secret once, to the terminal and to no log. When several processes start at once on one store, one
 * of them gets it.
 *
 * @example
 * const secret = await firstAdminKey(keyring)
 * if (secret !== undefined) console.log(`The first admin key, shown once: ${secret}`)
 */
export async function firstAdminKey(keyring: OpenKeyring): Promise<string | undefined> {
  return (await hasAdminKey(keyring)) ? undefined : (await issueFirst(keyring))?.secret
}

/** Bytes: more than a secret and its line break have. */
const room = 128

/**
 * Issues the first admin key of a keyring and writes its secret into a file that only its owner may read (mode 600).
 * Returns whether it did: false if there is an admin key already, in any state. When several processes start at once on
 * one store, one of them writes. A file that exists is never replaced.
 *
 * The file is reserved on the disk before the key is issued, so a file that cannot be written leaves no lost key behind.
 *
 * @throws Error the system's error about the file. There is no admin key yet then, and the next start can write it. If
 *   another file took the name at the same time, there is one, and the message says in which file it is.
 *
 * @example await writeFirstAdminKey(keyring, 'data/admin.key')
 */
export async function writeFirstAdminKey(keyring: OpenKeyring, path: string): Promise<boolean> {
  if (await hasAdminKey(keyring)) return false
  let file: ReturnType<typeof reserveFile>
  try {
    file = reserveFile(path, room)
  } catch (error) {
    // Another process may have written it in between.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await hasAdminKey(keyring))) return false
    throw error
  }
  let issued: Issued | undefined
  try {
    issued = await issueFirst(keyring)
    // Nothing else runs from here to the end, not even the handler of a signal.
    if (issued !== undefined) file.write(`${issued.secret}\n`)
  } catch (error) {
    file.discard()
    if (issued !== undefined) await keyring.revoke(issued.key.id, { reason: 'unused', actor: 'first start' })
    throw error
  }
  if (issued === undefined) file.discard()
  else file.name()
  return issued !== undefined
}

async function hasAdminKey(keyring: OpenKeyring): Promise<boolean> {
  return (await keyring.list({ environment: adminEnvironment, limit: 1 })).keys.length > 0
}

async function issueFirst(keyring: OpenKeyring): Promise<Issued | undefined> {
  const newKey = {
    name: 'First admin key',
    owner: 'operator',
    environment: adminEnvironment,
    ...everyRight(keyring),
  }
  // All processes use one idempotency key: for the second one the call is repeated, and it gets no secret.
  const made = await keyring.issueMany([newKey], { actor: 'first start', idempotencyKey: 'first admin key' })
  return made.repeated ? undefined : made.created[0]
}

/** The first admin key has every right, and all scopes, also those declared later. */
export function everyRight({
  environments,
}: Pick<Keyring, 'environments'>): Required<Pick<KeyMembers<AdminScope>, 'scopes' | 'delegation'>> {
  return {
    scopes: Object.keys(adminScopes) as AdminScope[],
    delegation: { owner: null, environments: [...environments, adminEnvironment], scopes: [everyScope] },
  }
}
