import type { StoredKey } from '../ports.ts'
import type { StoredMembers } from './members.ts'
import { emptyMembers } from './members.ts'

/** What every key has of its own. */
type Own = 'id' | 'environment' | 'start' | 'createdAt' | 'salt' | 'revision'

/** How a key stands to which nothing has happened since it was issued. A member that is missing does not compile. */
export const untouched: Omit<StoredKey, Own | keyof StoredMembers> = {
  disabledAt: null,
  disabledBy: null,
  revokedAt: null,
  revokedReason: null,
  revokedNote: null,
}

/** A key to which nothing has happened, and which was given nothing but what every key must be given. */
export const blankKey: typeof emptyMembers & typeof untouched = { ...emptyMembers, ...untouched }
