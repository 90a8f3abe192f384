import { bounds, text } from '../input.ts'
import { secretOf } from '../verify/admin-secret.ts'
import type { KeyringParts } from '../verify/parts.ts'
import { checkContext } from '../verify/requirement.ts'
import type { CallContext, VerifiedKey, Verifier } from '../verify/verdict.ts'
import { unavailable } from '../verify/verify.ts'
import { authorityOf, viewOf } from './authority.ts'
import type { Keyring, OpenKeyring } from './keyring.ts'

/** What a keyring is made of that acts as an admin key. */
export interface ActingParts<Scope extends string> {
  readonly parts: KeyringParts<Scope>
  /** `Keyring.verify` of the holder of the keyring itself. */
  readonly verify: Verifier<Scope>['verify']
  /** Makes a keyring of the parts, with the rights of their `authority`. */
  readonly keyringOf: (acting: KeyringParts<Scope>, verify: Verifier<Scope>['verify']) => Keyring<Scope>
}

/** The function behind `OpenKeyring.as`. For a key that was verified it makes one keyring, which all its requests share. */
export function actingAs<Scope extends string>({
  parts,
  verify,
  keyringOf,
}: ActingParts<Scope>): OpenKeyring<Scope>['as'] {
  const known = new WeakMap<VerifiedKey, Keyring<Scope>>()

  function byId(id: string): Keyring<Scope> {
    const acting = { ...parts, authority: text('id', id, bounds.label), secret: undefined }
    return keyringOf(acting, async (presented, requirement, call = {}) => {
      try {
        const { sees } = await authorityOf(acting, 'keys:verify')
        return await verify(presented, requirement, contextOf(call, sees))
      } catch (cause) {
        return unavailable(cause)
      }
    })
  }

  function verified(key: VerifiedKey): Keyring<Scope> {
    const acting = { ...parts, authority: text('id', key.id, bounds.label), secret: secretOf(key) }
    // A guard has verified the admin key just now, so reading the store again for each verification would add nothing.
    let view: ReturnType<typeof viewOf> | undefined
    return keyringOf(acting, (presented, requirement, call = {}) => {
      try {
        view ??= viewOf(key)
        return verify(presented, requirement, contextOf(call, view.sees))
      } catch (cause) {
        return unavailable(cause)
      }
    })
  }

  return (admin) => {
    // Whoever writes JavaScript may pass `null`, which is no id.
    if (typeof admin !== 'object' || admin === null) return byId(admin)
    let acting = known.get(admin)
    if (acting === undefined) known.set(admin, (acting = verified(admin)))
    return acting
  }
}

/** @throws LatchkeyError `invalid_input`. */
function contextOf(call: CallContext, seenBy: CallContext['seenBy']): CallContext {
  checkContext(call)
  return { ip: call.ip, dryRun: call.dryRun, seenBy }
}
