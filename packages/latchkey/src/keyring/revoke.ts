import { LatchkeyError } from '../error.ts'
import type { RevocationReason, StoredKey } from '../ports.ts'
import { bounds, oneOf, text } from './input.ts'
import type { KeyringParts } from './parts.ts'
import { keyOfStored } from './key.ts'
import type { Key } from './key.ts'
import { seal } from './journal.ts'

const reasons: readonly RevocationReason[] = ['compromised', 'superseded', 'unused', 'requested', 'other']

/** How often a change is tried again when somebody else changed the same key in between. */
const attempts = 16

/** Why a key is revoked, and by whom. */
export interface RevokeOptions {
  readonly reason: RevocationReason
  /** In your own words, for those who read the journal. At most 500 characters. */
  readonly note?: string
  /** Who revokes it, for the journal. `application` if left out. */
  readonly actor?: string
}

/** A revoked key. */
export interface Revoked<Scope extends string = string> {
  readonly key: Key<Scope>
  /** How many milliseconds it took until no instance could accept the key any more, which is now. */
  readonly tookMs: number
}

/**
 * The function behind `Keyring.revoke`. Revoked is final, and to revoke twice is to revoke once: the first reason stays,
 * so that a caller who did not hear the answer can ask again.
 */
export async function revoke<Scope extends string>(
  { store, clock, cache }: KeyringParts<Scope>,
  id: string,
  options: RevokeOptions,
): Promise<Revoked<Scope>> {
  const began = clock.monotonic()
  const reason = oneOf('reason', options.reason, reasons)
  const note = options.note === undefined ? null : text('note', options.note, bounds.note)
  const actor = text('actor', options.actor ?? 'application', bounds.label)

  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = await store.byId(text('id', id, bounds.label))
    if (stored === undefined) throw new LatchkeyError('unknown_key', 'No key has this id.')
    const now = clock.now()
    let revoked: StoredKey | undefined = stored
    if (stored.revokedAt === null) {
      const change = JSON.stringify({ reason, note })
      const key = { ...stored, revokedAt: now, revokedReason: reason, revokedNote: note }
      const draft = { at: now, actor, action: 'revoke', subject: id, change } as const
      const entries = await store.commit([{ kind: 'update', key, draft }], seal)
      if (entries !== undefined) cache.committed(entries)
      revoked = entries === undefined ? undefined : key
    }
    if (revoked === undefined) continue
    // Also when it was revoked before: whoever did may still be waiting for the others.
    await store.settled()
    return { key: keyOfStored(revoked, now), tookMs: clock.monotonic() - began }
  }
  throw new LatchkeyError('conflict', `The key ${id} is being changed by others all the time. Try again.`)
}
