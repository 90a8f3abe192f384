import { integer, invalid, membersOf } from '../input.ts'
import { formsLease } from '../verify/cache.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { ImportOptions } from './call-options.ts'
import { importOptions } from './call-options.ts'
import { create } from './create.ts'
import type { KnownSecret } from './imported-secret.ts'
import { importedSecret } from './imported-secret.ts'
import type { KeyDetails } from './key.ts'
import type { NewKey } from './members.ts'
import { newKeyMembers } from './members.ts'

/** What is known of the life that a key had elsewhere. */
export interface KnownLife {
  /** When it was issued there, in milliseconds since 1970; now if left out. */
  readonly createdAt?: number
  /** When it was last used there, in milliseconds since 1970; never if left out. */
  readonly lastUsedAt?: number
  /** Whether it comes disabled: it is refused until it is enabled. */
  readonly disabled?: boolean
}

/** A key that was made elsewhere, by the hash of its secret. */
export interface ImportedKey<Scope extends string> extends NewKey<Scope>, KnownSecret, KnownLife {}

/**
 * The result of an import: the new keys, and the places in the list of those that were left out (`skipKnown`); or, if the
 * call was made before, the keys that it made then.
 */
export type Imported<Scope extends string = string> =
  | {
      readonly repeated: false
      readonly created: readonly KeyDetails<Scope>[]
      readonly skipped: readonly number[]
    }
  | { readonly repeated: true; readonly keys: readonly KeyDetails<Scope>[] }

/** The names of the members that an imported key may be given. */
const importedKeyMembers = [
  ...newKeyMembers,
  ...membersOf<KnownSecret>({ hash: true, algorithm: true, before: true, bits: true, start: true }),
  ...membersOf<KnownLife>({ createdAt: true, lastUsedAt: true, disabled: true }),
]

/** The function behind `Keyring.importMany`. */
export async function importMany<Scope extends string>(
  parts: KeyringParts<Scope>,
  items: readonly ImportedKey<Scope>[],
  options: ImportOptions,
): Promise<Imported<Scope>> {
  const { store, cache, authority = null } = parts
  const isFirst = cache.imported().length === 0
  const done = await create(parts, {
    action: 'import',
    items,
    options,
    optionNames: importOptions,
    members: importedKeyMembers,
    secretOf(item, { now }) {
      const { createdAt, lastUsedAt } = timesOf(item, now)
      return { stored: importedSecret(item, { createdAt, lastUsedAt, issuedBy: authority }), shown: undefined }
    },
    lifeOf(item, now) {
      const { disabled = false } = item
      if (typeof disabled !== 'boolean') throw invalid('disabled', 'true or false')
      const { createdAt } = timesOf(item, now)
      return disabled ? { createdAt, disabledAt: now, disabledBy: authority } : { createdAt }
    },
    details: ({ algorithm, bits, before, disabled, createdAt, lastUsedAt }) => {
      return { algorithm, bits, before, disabled, createdAt, lastUsedAt }
    },
  })
  // Another instance may have refused one of these secrets a moment ago; before the first import, by its form alone.
  const least = isFirst ? formsLease : 1
  const keys = done.repeated ? done.keys : done.created.map(({ key }) => key)
  const last = Math.max(0, ...keys.map(({ revision }) => revision))
  for (let waited = 0; waited < least; waited += Math.max(1, store.lease)) await store.settled(last)
  return done.repeated ? done : { ...done, created: done.created.map(({ key }) => key) }
}

function timesOf(
  { createdAt, lastUsedAt }: KnownLife,
  now: number,
): { readonly createdAt: number; readonly lastUsedAt: number | null } {
  const past = (name: string, value: unknown): number => integer(name, value, { least: 0, most: now })
  return {
    createdAt: createdAt === undefined ? now : past('createdAt', createdAt),
    lastUsedAt: lastUsedAt === undefined ? null : past('lastUsedAt', lastUsedAt),
  }
}
