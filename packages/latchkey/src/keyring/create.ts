import { LatchkeyError } from '../error.ts'
import { bounds, invalid, objectOf, oneOf, text } from '../input.ts'
import { chain } from '../journal/chain.ts'
import { digestOfKey } from '../journal/row-digest.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Change, StoredKey, StoredSecret } from '../ports.ts'
import { randomBase62 } from '../secret/base62.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { Authority } from './authority.ts'
import { authorityOf } from './authority.ts'
import type { ImportOptions } from './call-options.ts'
import { checkedMembers, checkTogether } from './checked-members.ts'
import { idempotentCallOf, resultBefore } from './idempotency.ts'
import type { KeyDetails } from './key.ts'
import { keyOfKept } from './key.ts'
import { knownAlready, knownSecrets } from './known-secrets.ts'
import type { NewKey, StoredMembers } from './members.ts'
import { membersIn, requiredMembers } from './members.ts'
import { blankKey } from './new-key.ts'
import { untilUndisturbed } from './optimistic.ts'
import { piecewise } from './piecewise.ts'

/** The result of a call that creates keys: the new keys, or, if the call was made before, the keys that it made then. */
export type Created<Scope extends string, Item> =
  | { readonly repeated: false; readonly created: readonly Item[] }
  | { readonly repeated: true; readonly keys: readonly KeyDetails<Scope>[] }

/** The same, with the places of the keys that were left out because their secrets are known. */
export type CreatedOrSkipped<Scope extends string, Item> =
  | (Extract<Created<Scope, Item>, { repeated: false }> & { readonly skipped: readonly number[] })
  | Extract<Created<Scope, Item>, { repeated: true }>

/** A secret of a new key. */
interface NewSecret<Shown> {
  /** The part of it that is stored. */
  readonly stored: StoredSecret
  /** The part of it that the caller sees, this once only. */
  readonly shown: Shown
}

/** A new key, and the part of its secret that the caller may see. */
export interface CreatedKey<Scope extends string, Shown> {
  readonly key: KeyDetails<Scope>
  readonly shown: Shown
}

/** How keys of one kind are created. */
export interface Creation<Item, Shown> {
  readonly action: 'issue' | 'import'
  readonly items: readonly Item[]
  readonly options: ImportOptions
  /** The names of the options that the call takes. */
  readonly optionNames: readonly string[]
  /** The names of the members that an item may have. */
  readonly members: readonly string[]
  readonly secretOf: (item: Item, at: { readonly environment: string; readonly now: number }) => NewSecret<Shown>
  /** What an item says of the life that its key had elsewhere; left out for a key that begins now. */
  readonly lifeOf?: (item: Item, now: number) => Partial<Pick<StoredKey, 'createdAt' | 'disabledAt' | 'disabledBy'>>
  /** Further members of the journal entry about an item. */
  readonly details: (item: Item) => object
}

type Insert = Extract<Change, { kind: 'insert' }>

/** A key that is ready to be committed. */
interface Draft<Shown> {
  readonly insert: Insert
  readonly shown: Shown
}

/** Creates keys, all in one transaction or none. */
export async function create<Scope extends string, Item extends NewKey<Scope>, Shown>(
  parts: KeyringParts<Scope>,
  creation: Creation<Item, Shown>,
): Promise<CreatedOrSkipped<Scope, CreatedKey<Scope, Shown>>> {
  const { store, cache, clock } = parts
  const { action, items, options } = creation
  objectOf(`The options of ${action}Many`, options, creation.optionNames)
  const { skipKnown = false } = options
  if (typeof skipKnown !== 'boolean') throw invalid('skipKnown', 'true or false')
  if (!Array.isArray(items) || items.length === 0 || items.length > bounds.bulk) {
    throw invalid('The list of keys', `a list of 1 to ${bounds.bulk}`)
  }
  const actor = text('actor', options.actor ?? parts.authority ?? 'application', bounds.label)
  const idempotent = idempotentCallOf(parts, { idempotencyKey: options.idempotencyKey, actor }, [
    action,
    items,
    ...(skipKnown ? ['skipKnown'] : []),
  ])

  return untilUndisturbed<CreatedOrSkipped<Scope, CreatedKey<Scope, Shown>>>(async () => {
    const authority = await authorityOf(parts, 'keys:write')
    const done = await resultBefore(store, idempotent)
    if (done !== undefined) {
      return { repeated: true, keys: await piecewise(done.ids, (id) => keyMade(parts, authority, id)) }
    }
    const now = clock.now()
    const drafts = await piecewise(items, (item, index) =>
      located(index, items.length, () => {
        const draft = draftOf(parts, creation, { item, actor, now })
        authority.mustCover(draft.insert.key)
        return draft
      }),
    )
    const hashes = drafts.map(({ insert }) => insert.secret.hash)
    const skipped = skipKnown ? await knownSecrets(store, hashes) : []
    const leftOut = new Set(skipped)
    const taken = drafts.filter((_, place) => !leftOut.has(place))
    const inserts = taken.map(({ insert }) => insert)
    const distinct = new Set(inserts.map(({ secret }) => secret.hash)).size === inserts.length
    const entries = distinct
      ? await store.commit(inserts, chain, { idempotent, authority: authority.witness })
      : undefined
    if (entries !== undefined) {
      cache.committed(entries)
      const created = await piecewise(taken, async ({ insert, shown }) => {
        return { key: await keyMade(parts, authority, insert.key.id), shown }
      })
      return { repeated: false, created, skipped }
    }
    // The same call was quicker, or the admin key that asks was changed: try again. Unless a secret is here already.
    const known = skipKnown ? [] : await knownSecrets(store, hashes)
    if (known.length > 0) throw knownAlready(known, items.length)
    return undefined
  }, 'The admin key that asks for this is being changed all the time. Try again.')
}

/** A key that a call has created. */
async function keyMade<Scope extends string>(
  { store, clock }: KeyringParts<Scope>,
  authority: Authority,
  id: string,
): Promise<KeyDetails<Scope>> {
  const kept = await store.byId(id)
  // Without it the list would be shorter, and the caller would take each key for another.
  if (kept === undefined || !authority.sees(kept.key)) {
    throw new LatchkeyError('unknown_key', 'This admin key no longer sees a key that this call made.')
  }
  return keyOfKept<Scope>(kept, clock.now())
}

/** Says which of many keys is wrong. */
function located<Value>(index: number, count: number, make: () => Value): Value {
  try {
    return make()
  } catch (error) {
    if (count === 1 || !(error instanceof LatchkeyError)) throw error
    throw new LatchkeyError(error.code, `Key ${index + 1} of ${count}: ${error.message}`, { cause: error })
  }
}

function draftOf<Scope extends string, Item extends NewKey<Scope>, Shown>(
  { environments, scopes }: KeyringParts<Scope>,
  { action, members: names, secretOf, lifeOf, details }: Creation<Item, Shown>,
  { item, actor, now }: { readonly item: Item; readonly actor: string; readonly now: number },
): Draft<Shown> {
  objectOf('A new key', item, names)
  const missing = requiredMembers.find((member) => (item[member] as unknown) === undefined)
  // An empty list of scopes gives no right; a list that is left out could be taken for every right.
  if (missing !== undefined) throw invalid(missing, 'given')
  const known = [...environments, adminEnvironment]
  const environment = oneOf('environment', item.environment ?? environments[0], known)
  const { stored, quota } = checkedMembers(item, { scopes, environments, environment, metadata: {}, now })
  const { stored: secret, shown } = secretOf(item, { environment, now })
  const { start } = secret
  const key: Insert['key'] = {
    ...blankKey,
    // The cast is safe: the check above has found every required member.
    ...(stored as StoredMembers),
    id: `key_${randomBase62(20)}`,
    environment,
    start,
    createdAt: now,
    salt: randomBase62(22),
    ...lifeOf?.(item, now),
  }
  checkTogether(key)
  const state = digestOfKey(key, [secret])
  const change = JSON.stringify({ ...membersIn(key), environment, start, state, ...details(item) })
  const draft = { at: now, actor, action, subject: key.id, change }
  return { insert: { kind: 'insert', key, secret, quota: quota ?? null, draft }, shown }
}
