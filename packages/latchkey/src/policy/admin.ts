import type { Catalogue } from './scopes.ts'

/** The reserved environment of the keys that administer a keyring. No application's route takes them. */
export const adminEnvironment = 'admin'

/** The name of a scope of an admin key. */
export type AdminScope =
  | 'keys:read'
  | 'keys:write'
  | 'keys:erase'
  | 'keys:verify'
  | 'owners:read'
  | 'owners:write'
  | 'owners:erase'
  | 'journal:read'
  | 'usage:read'
  | 'refusals:read'
  | 'metrics:read'

/** The rights of admin keys: Latchkey's own scopes. The rights that such a key may *give* are its delegation. */
export const adminScopes: Catalogue<AdminScope> = {
  'keys:read': 'List keys and read them',
  'keys:write': 'Issue, import, change, rotate, disable, enable and revoke keys',
  'keys:erase': 'Erase revoked keys for good, and empty the journal of what it says about them',
  'keys:verify': 'Verify the keys of callers',
  'owners:read': 'Read owners: their state and their shared limits',
  'owners:write': 'Disable and enable owners, and set their shared limits',
  'owners:erase': 'Erase disabled owners for good, with their keys and with what the journal says about them',
  'journal:read': 'Read the journal and verify its chain',
  'usage:read': 'Read how often keys were used',
  'refusals:read': 'Read why a call was refused',
  'metrics:read': 'Read the metrics',
}
