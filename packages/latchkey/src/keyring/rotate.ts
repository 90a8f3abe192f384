import { LatchkeyError } from '../error.ts'
import { bounds, whole } from './input.ts'
import type { Changed, ChangeOptions } from './changing.ts'
import { changeKey, refuseRevoked } from './changing.ts'
import { mintSecret } from './minting.ts'
import type { KeyringParts } from './parts.ts'

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
    const ending = secrets.find(({ endsAt }) => endsAt !== null && endsAt > now)
    if (ending !== undefined) {
      const until = new Date(ending.endsAt ?? now).toISOString()
      throw new LatchkeyError(
        'conflict',
        `The key is being rotated already, until ${until}. Retire its old secret first.`,
      )
    }
    if (secrets.some(({ retiredAt }) => retiredAt !== null && now >= retiredAt && now - retiredAt < atOnce)) {
      throw new LatchkeyError('conflict', 'The key was rotated a moment ago. Read it again.')
    }
    const minted = mintSecret({ prefix: parts.prefix, environment: key.environment, now })
    const { start } = minted.stored
    secret = minted.secret
    oldEndsAt = now + seconds * 1000
    return {
      key: { ...key, start },
      endSecrets: { at: oldEndsAt, which: 'all' },
      secret: minted.stored,
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
    if (!secrets.some(({ endsAt }) => endsAt !== null && endsAt > now)) return undefined
    return { key, endSecrets: { at: now, which: 'old' }, action: 'retire', change: { oldEndsAt: now } }
  })
}
