import { LatchkeyError } from '../error.ts'
import { bounds, whole } from './input.ts'
import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, refuseRevoked } from './changing.ts'
import { mintSecret } from './minting.ts'
import type { KeyringParts } from './parts.ts'
import type { StoredSecret } from '../ports.ts'

/** How a key is rotated. */
export interface RotateOptions extends ChangeOptions {
  /** Seconds for which the old secret goes on working; 0 ends it now. A day if left out, 400 days at most. */
  readonly grace?: number
}

/** A rotated key, with its new secret for the only time. */
export interface Rotated<Scope extends string = string> extends Changed<Scope> {
  readonly secret: string
  /** The first millisecond in which the old secret no longer works. */
  readonly oldEndsAt: number
}

const aDay = 86_400

/** Milliseconds after a rotation in which another one is taken for the same: of many at once, some come a little later. */
const atOnce = 1000

/**
 * The function behind `Keyring.rotate`. The key stays what it is, id, limits, quota and usage; a secret is added and
 * the old one gets an end. One rotation at a time: of many at once one is done, the others are a conflict, also where
 * the old secret has no time left.
 */
export async function rotate<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  { grace = aDay, ...options }: RotateOptions,
): Promise<Rotated<Scope>> {
  const seconds = whole('grace', grace, 0, bounds.grace)
  let secret = ''
  let oldEndsAt = 0
  let seen: string | undefined
  const changed = await changeKey(parts, id, options, ({ key, secrets }, now) => {
    refuseRevoked(key)
    const newest = secrets[0]?.hash
    if ((seen ??= newest) !== newest) {
      throw new LatchkeyError('conflict', 'The key was rotated by somebody else meanwhile. Read it again.')
    }
    const old = secrets.find((kept) => kept.endsAt !== null && works(kept, now))
    if (old !== undefined) {
      const until = new Date(old.endsAt ?? now).toISOString()
      throw new LatchkeyError(
        'conflict',
        `The key is being rotated already, until ${until}. Retire its old secret first.`,
      )
    }
    if (secrets.some(({ retiredAt }) => retiredAt !== null && now >= retiredAt && now - retiredAt < atOnce)) {
      throw new LatchkeyError('conflict', 'The key was rotated a moment ago. Read it again.')
    }
    const minted = mintSecret(parts, key.environment, now)
    const { start } = minted.stored
    secret = minted.secret
    oldEndsAt = now + seconds * 1000
    return {
      key: { ...key, start },
      secrets: [
        ...secrets.filter((kept) => works(kept, now)).map((kept) => ending(kept, now, oldEndsAt)),
        minted.stored,
      ],
      action: 'rotate',
      change: { start, oldEndsAt },
    }
  })
  return { ...changed, secret, oldEndsAt }
}

/** The function behind `Keyring.retire`: the old secret of a key that is being rotated ends now. */
export async function retire<Scope extends string>(
  parts: KeyringParts<Scope>,
  id: string,
  options: ChangeOptions,
): Promise<Changed<Scope>> {
  return changeKey(parts, id, options, ({ key, secrets }, now) => {
    refuseRevoked(key)
    const old = secrets.filter((kept) => kept.endsAt !== null && works(kept, now))
    if (old.length === 0) return undefined
    return { key, secrets: old.map((kept) => ending(kept, now, now)), action: 'retire', change: { oldEndsAt: now } }
  })
}

/** Whether a secret works at `now`. */
export function works({ endsAt, ended }: StoredSecret, now: number): boolean {
  return !ended && (endsAt === null || endsAt > now)
}

/** A secret that works until `at`, from now on as one that a newer one stands in for. An end that has come is a fact. */
function ending(secret: StoredSecret, now: number, at: number): StoredSecret {
  return { ...secret, retiredAt: secret.retiredAt ?? now, endsAt: at, ended: at <= now }
}
