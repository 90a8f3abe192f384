import { membersOf } from '../input.ts'
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

/** A key that was made elsewhere, by the hash of its secret. */
export interface ImportedKey<Scope extends string> extends NewKey<Scope>, KnownSecret {}

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
  ...membersOf<KnownSecret>({ hash: true, algorithm: true, bits: true, start: true }),
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
    secretOf: (item, { now }) => ({ stored: importedSecret(item, { now, issuedBy: authority }), shown: undefined }),
    details: ({ algorithm, bits }) => ({ algorithm, bits }),
  })
  // Another instance may have refused one of these secrets a moment ago; before the first import, by its form alone.
  const least = isFirst ? formsLease : 1
  for (let waited = 0; waited < least; waited += Math.max(1, store.lease)) await store.settled()
  return done.repeated ? done : { ...done, created: done.created.map(({ key }) => key) }
}
