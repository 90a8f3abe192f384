import { longestCredential } from '../options.ts'
import { adminEnvironment } from '../policy/admin.ts'
import { parseIp } from '../policy/ip.ts'
import { refusals } from '../refusal.ts'
import type { CallToVerify } from '../verify/calls.ts'
import type { CheckedRequirement } from '../verify/requirement.ts'
import { requirementReader } from '../verify/requirement.ts'
import type { Refused } from '../verify/verdict.ts'

/** A call to verify that the server is asked about. */
export interface Question {
  readonly verdict: undefined
  readonly credential: string
  readonly address: string | undefined
  readonly requirement: CheckedRequirement
}

/** Makes the question for the server, or the verdict of a call for which the server need not be asked. */
export type QuestionReader = (call: CallToVerify) => Question | { readonly verdict: Refused }

/** @param environments - the environments that the server reported; the first is its default. */
export function questionReader(environments: readonly [string, ...string[]]): QuestionReader {
  const requirementOf = requirementReader({
    environments: environments.includes(adminEnvironment) ? environments : [...environments, adminEnvironment],
    // Only the server knows which scopes are declared now.
    catalogueOf: () => undefined,
  })
  return ({ credential: presented, requirement: asked, ip }) => {
    try {
      const requirement = requirementOf(asked)
      const credential = presented ?? ''
      if (credential === '') return { verdict: { ok: false, refusal: refusals.missing } }
      // Only a text can be a credential; any other value is not sent over the wire.
      if (typeof credential !== 'string' || credential.length > longestCredential) {
        return { verdict: { ok: false, refusal: refusals.malformed } }
      }
      return { verdict: undefined, credential, requirement, address: addressOf(ip) }
    } catch (error) {
      return { verdict: unavailable(error) }
    }
  }
}

/** A requirement as the server reads it. */
export function wireOf({ environment, allOf, anyOf, cost }: CheckedRequirement): object {
  return {
    environment,
    ...(allOf.length === 0 ? {} : { scopes: allOf }),
    ...(anyOf.length === 0 ? {} : { anyOf }),
    cost,
  }
}

/** The verdict when the server's own does not arrive, or cannot be read as one (ASVS 5.0 16.5.3: fail closed). */
export function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/** Leaves out a text that is not an address: like an unknown address, it lies in no range. */
function addressOf(ip: string | undefined): string | undefined {
  return ip === undefined || parseIp(ip) === undefined ? undefined : ip
}
