import { membersOf } from '../input.ts'
import { formsLease } from '../verify/cache.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { BulkOptions } from './call-options.ts'
import type { Created } from './create.ts'
import { create } from './create.ts'
import type { KnownSecret } from './imported-secret.ts'
import { importedSecret } from './imported-secret.ts'
import type { KeyDetails } from './key.ts'
import type { NewKey } from './members.ts'
import { newKeyMembers } from './members.ts'

/** A key that was made elsewhere, by the hash of its secret. */
export interface ImportedKey<Scope extends string> extends NewKey<Scope>, KnownSecret {}

/** The names of the members that an imported key may be given. */
const importedKeyMembers = [
  ...newKeyMembers,
  ...membersOf<KnownSecret>({ hash: true, algorithm: true, bits: true, start: true }),
]

/** The function behind `Keyring.importMany`. */
export async function importMany<Scope extends string>(
  parts: KeyringParts<Scope>,
  items: readonly ImportedKey<Scope>[],
  options: BulkOptions,
): Promise<Created<Scope, KeyDetails<Scope>>> {
  const { store, cache, authority = null } = parts
  const isFirst = cache.imported().length === 0
  const done = await create(parts, {
    action: 'import',
    items,
    options,
    members: importedKeyMembers,
    secretOf: (item, { now }) => ({ stored: importedSecret(item, { now, issuedBy: authority }), shown: undefined }),
    details: ({ algorithm, bits }) => ({ algorithm, bits }),
  })
  // Another instance may have refused one of these secrets a moment ago; before the first import, by its form alone.
  const least = isFirst ? formsLease : 1
  for (let waited = 0; waited < least; waited += Math.max(1, store.lease)) await store.settled()
  return done.repeated ? done : { repeated: false, created: done.created.map(({ key }) => key) }
}
