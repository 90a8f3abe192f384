import type { StoredKey } from '../ports.ts'
import type { StoredMembers } from './members.ts'
import { emptyMembers } from './members.ts'

/** The members for which every key has a value of its own. */
type Own = 'id' | 'environment' | 'start' | 'createdAt' | 'salt' | 'revision'

/** The state of a key to which nothing has happened since it was issued. A member that is missing does not compile. */
export const untouched: Omit<StoredKey, Own | keyof StoredMembers> = {
  disabledAt: null,
  disabledBy: null,
  revokedAt: null,
  revokedReason: null,
  revokedNote: null,
}

/** A key to which nothing has happened, and which has only the members that every key must be given. */
export const blankKey: typeof emptyMembers & typeof untouched = { ...emptyMembers, ...untouched }
