import { setImmediate as nextTurn } from 'node:timers/promises'
import { LatchkeyError } from '../error.ts'
import { bounds, invalid, membersOf, oneOf, objectOf, text } from '../input.ts'
import { chain } from '../journal/chain.ts'
import { digestOfKey } from '../journal/row-digest.ts'
import type { AdminScope } from '../policy/admin.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Change, SecretKind, StoredKey, StoredSecret } from '../ports.ts'
import { randomBase62 } from '../secret/base62.ts'
import { formsLease } from '../verify/cache.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import { authorityOf } from './authority.ts'
import type { IdempotencyOptions } from './idempotency.ts'
import { resultBefore, idempotentCallOf } from './idempotency.ts'
import { importedSecret } from './imported-secret.ts'
import type { KeyDetails } from './key.ts'
import { keyOfKept } from './key.ts'
import type { KeyMembers } from './members.ts'
import { checkedMembers, checkTogether } from './members.ts'
import { mintSecret } from './minting.ts'

/** What a new key is to be. */
export interface NewKey<Scope extends string> extends KeyMembers<Scope | AdminScope> {
  /** The first environment of the keyring if left out; `admin` for a key that administers it. */
  readonly environment?: string
}

/** What a new key is to be, and who issues it. */
export interface IssueOptions<Scope extends string> extends NewKey<Scope> {
  /** Who issues it, for the journal. `application` if left out. */
  readonly actor?: string
}

/** A key that was made elsewhere, by the hash of its secret. */
export interface ImportedKey<Scope extends string> extends NewKey<Scope> {
  /** The hash of the secret in hexadecimal. The secret itself never comes here; it may have up to 1,024 characters. */
  readonly hash: string
  readonly algorithm: Exclude<SecretKind, 'minted'>
  /**
   * How many random bits its maker gave it, from 64 on: 122 for a UUID of version 4, 128 for 32 random hexadecimal digits.
   * Nobody can tell that from the hash, so it is asked for, and kept in the journal.
   */
  readonly bits: number
  /** What may be shown of the secret so that people know it again; at most 16 characters, and never all of it. */
  readonly start?: string
}

/** What creating calls take. */
export interface BulkOptions extends IdempotencyOptions {
  /** Who does it, for the journal. `application` if left out. */
  readonly actor?: string
}

const bulkOptions = membersOf<BulkOptions>({ actor: true, idempotencyKey: true })

/** A new key, with its secret for the only time. */
export interface Issued<Scope extends string = string> {
  readonly key: KeyDetails<Scope>
  /** Show it once and forget it: it cannot be had again. */
  readonly secret: string
}

/** What comes of issuing a key with an idempotency key: `null` where the call was made before, and its secret was shown then. */
export interface IssuedOrRepeated<Scope extends string = string> extends Omit<Issued<Scope>, 'secret'> {
  readonly secret: string | null
  readonly repeated: boolean
}

/** What came of a creating call: new keys, or, where it had been made already, the keys it brought about then. */
export type Created<Scope extends string, Item> =
  | { readonly repeated: false; readonly created: readonly Item[] }
  | { readonly repeated: true; readonly keys: readonly KeyDetails<Scope>[] }

/** The function behind `Keyring.issue`. */
export async function issue<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: IssueOptions<Scope> & IdempotencyOptions,
): Promise<IssuedOrRepeated<Scope>> {
  objectOf('A new key', options, [...bulkOptions, ...newKeyMembers])
  const { actor, idempotencyKey, ...wanted } = options
  const done = await issueMany(parts, [wanted], { ...(actor === undefined ? {} : { actor }), idempotencyKey })
  const [key] = done.repeated ? done.keys : done.created.map((issued) => issued.key)
  if (key === undefined) throw new LatchkeyError('conflict', 'The key was not issued. Try again.')
  return { key, secret: done.repeated ? null : (done.created[0]?.secret ?? null), repeated: done.repeated }
}

/** The function behind `Keyring.issueMany`. */
export async function issueMany<Scope extends string>(
  parts: KeyringParts<Scope>,
  items: readonly NewKey<Scope>[],
  options: BulkOptions,
): Promise<Created<Scope, Issued<Scope>>> {
  const secrets: string[] = []
  const done = await create(parts, 'issue', items, options, ({ environment, index, now }) => {
    const { secret, stored } = mintSecret(parts, environment, now)
    secrets[index] = secret
    return stored
  })
  if (done.repeated) return done
  return { repeated: false, created: done.created.map((key, index) => ({ key, secret: secrets[index] ?? '' })) }
}

/** The function behind `Keyring.importMany`. */
export async function importMany<Scope extends string>(
  parts: KeyringParts<Scope>,
  items: readonly ImportedKey<Scope>[],
  options: BulkOptions,
): Promise<Created<Scope, KeyDetails<Scope>>> {
  const first = parts.cache.imported().length === 0
  const done = await create(parts, 'import', items, options, ({ item, now }) => {
    const { hash: secretHash, kind, start } = importedSecret(item)
    return {
      hash: secretHash,
      kind,
      start,
      createdAt: now,
      retiredAt: null,
      endsAt: null,
      ended: false,
      lastUsedAt: null,
      issuedBy: parts.authority ?? null,
    }
  })
  // A caller may have been refused with this secret a moment ago, by another instance; and where nothing was imported
  // before, by its form alone.
  const { store } = parts
  for (let waited = 0; waited < (first ? formsLease : 1); waited += Math.max(1, store.lease)) await store.settled()
  return done
}

const newKeyMembers = membersOf<NewKey<string>>({
  name: true,
  owner: true,
  environment: true,
  scopes: true,
  notBefore: true,
  expiresAt: true,
  metadata: true,
  addresses: true,
  limits: true,
  quota: true,
  delegation: true,
})

/** And what is said besides of one that was made elsewhere. */
const importedKeyMembers = [...newKeyMembers, 'hash', 'algorithm', 'bits', 'start']

/** Makes the secret of the item with this index. */
type SecretOf<Item> = (of: {
  readonly environment: string
  readonly item: Item
  readonly index: number
  readonly now: number
}) => StoredSecret

/** Keys of one kind, all in one transaction or none. */
async function create<Scope extends string, Item extends NewKey<Scope>>(
  parts: KeyringParts<Scope>,
  action: 'issue' | 'import',
  items: readonly Item[],
  options: BulkOptions,
  secretOf: SecretOf<Item>,
): Promise<Created<Scope, KeyDetails<Scope>>> {
  const { store, cache, clock } = parts
  objectOf(`The options of ${action}Many`, options, bulkOptions)
  const { actor, idempotencyKey } = options
  if (!Array.isArray(items) || items.length === 0 || items.length > bounds.bulk) {
    throw invalid('The list of keys', `a list of 1 to ${bounds.bulk}`)
  }
  const author = text('actor', actor ?? parts.authority ?? 'application', bounds.label)
  const idempotent = idempotentCallOf(parts, { idempotencyKey, actor: author }, [action, items])

  for (let attempt = 0; attempt < attempts; attempt++) {
    const authority = await authorityOf(parts, 'keys:write')
    const done = await resultBefore(store, idempotent)
    if (done !== undefined) return { repeated: true, keys: await keysOf(parts, authority, done.ids) }
    const now = clock.now()
    const changes = await piecewise(items, (item, index) => {
      return located(index, items.length, () => {
        const change = newKey(parts, item, { now, action, actor: author, index, secretOf })
        authority.mustCover(change.key)
        return change
      })
    })
    const hashes = new Set(changes.map(({ secret }) => secret.hash))
    if (hashes.size < changes.length) throw knownAlready()
    const entries = await store.commit(changes, chain, { idempotent, authority: authority.witness })
    if (entries !== undefined) {
      cache.committed(entries)
      return {
        repeated: false,
        created: await keysOf(
          parts,
          authority,
          changes.map(({ key }) => key.id),
        ),
      }
    }
    // Somebody was quicker with the same call, or has changed the admin key that asks; or a secret is here already.
    for (const hash of hashes) if ((await store.bySecret(hash)) !== undefined) throw knownAlready()
  }
  throw new LatchkeyError('conflict', 'The admin key that asks for this is being changed all the time. Try again.')
}

function knownAlready(): LatchkeyError {
  return new LatchkeyError('conflict', 'A key with one of these secrets is in the keyring already; none was added.')
}

/** How often a call is tried again when the admin key that asks for it was changed in between. */
const attempts = 16

/** The keys that a creating call has brought about. */
async function keysOf<Scope extends string>(
  { store, clock }: KeyringParts<Scope>,
  authority: Authority,
  ids: readonly string[],
): Promise<readonly KeyDetails<Scope>[]> {
  const kept = await piecewise(ids, (id) => store.byId(id))
  const seen = kept.filter((found) => found !== undefined).filter(({ key }) => authority.sees(key))
  // Fewer would be taken for others, one by one.
  if (seen.length < ids.length)
    throw new LatchkeyError('unknown_key', 'A key that this call has made is not to be seen any more.')
  return seen.map((found) => keyOfKept<Scope>(found, clock.now()))
}

/** How many are dealt with between two turns of the event loop: a thousand at once would keep everybody else waiting. */
const piece = 50

/** Makes something of many, a piece of them at a time and each piece at once. */
async function piecewise<Item, Made>(
  items: readonly Item[],
  make: (item: Item, index: number) => Made | Promise<Made>,
): Promise<readonly Made[]> {
  const made: Made[] = []
  for (let start = 0; start < items.length; start += piece) {
    if (start > 0) await nextTurn()
    const some = items.slice(start, start + piece)
    made.push(...(await Promise.all(some.map((item, index) => make(item, start + index)))))
  }
  return made
}

/** Says of many keys which one is wrong. */
function located<Value>(index: number, count: number, make: () => Value): Value {
  try {
    return make()
  } catch (error) {
    if (count === 1 || !(error instanceof LatchkeyError)) throw error
    throw new LatchkeyError(error.code, `Key ${index + 1} of ${count}: ${error.message}`, { cause: error })
  }
}

function newKey<Scope extends string, Item extends NewKey<Scope>>(
  parts: KeyringParts<Scope>,
  item: Item,
  {
    now,
    action,
    actor,
    index,
    secretOf,
  }: {
    readonly now: number
    readonly action: 'issue' | 'import'
    readonly actor: string
    readonly index: number
    readonly secretOf: SecretOf<Item>
  },
): Extract<Change, { kind: 'insert' }> {
  objectOf('A new key', item, action === 'import' ? importedKeyMembers : newKeyMembers)
  const missing = (['name', 'owner', 'scopes'] as const).find((member) => (item[member] as unknown) === undefined)
  // An empty list of scopes is nothing; none at all could be taken for everything.
  if (missing !== undefined) throw invalid(missing, 'given')
  const known = [...parts.environments, adminEnvironment]
  const environment = oneOf('environment', item.environment ?? parts.environments[0], known)
  const { stored, quota } = checkedMembers(parts, environment, item, now)
  const secret = secretOf({ environment, item, index, now })
  const key: Omit<StoredKey, 'revision'> = {
    id: `key_${randomBase62(20)}`,
    name: '',
    owner: '',
    environment,
    scopes: [],
    metadata: {},
    notBefore: null,
    expiresAt: null,
    addresses: null,
    limits: [],
    quota: null,
    delegation: null,
    ...stored,
    start: secret.start,
    createdAt: now,
    salt: randomBase62(22),
    disabledAt: null,
    disabledBy: null,
    revokedAt: null,
    revokedReason: null,
    revokedNote: null,
  }
  checkTogether(key)
  const {
    id,
    createdAt: _,
    salt: _s,
    disabledAt: _1,
    disabledBy: _2,
    revokedAt: _3,
    revokedReason: _4,
    revokedNote: _5,
    ...told
  } = key
  const { bits } = item as Partial<ImportedKey<Scope>>
  const state = digestOfKey(key, [secret])
  const change = JSON.stringify({ ...told, state, ...(action === 'import' ? { algorithm: secret.kind, bits } : {}) })
  return { kind: 'insert', key, secret, quota: quota ?? null, draft: { at: now, actor, action, subject: id, change } }
}
