import { isIP } from 'node:net'
import type { Catalogue, Requirement } from 'latchkey'
import { adminEnvironment, adminScopes, bounds, LatchkeyError } from 'latchkey'
import type { Static } from 'typebox'
import { Type } from '../type.ts'
import type { RouteParts } from '../route/parts.ts'
import { label, scope } from '../wire.ts'

/** Too short for a secret: its verdict is a refusal. */
export const exampleCredential = 'lk_live_2WAx…'

/** Of any length that a body may have: one that is too long is refused as a credential and not as a body. */
export const credential = Type.String({
  description: 'The credential, exactly as the caller sent it',
  examples: [exampleCredential],
})

export const address = Type.Optional(
  Type.String({ maxLength: bounds.label, description: 'The IP address of the caller', examples: ['192.0.2.7'] }),
)

export const dryRun = Type.Optional(
  Type.Boolean({ description: 'Answer what would be, and take nothing from limits and quota' }),
)

/** The members that say what a key must have. */
export const required = {
  environment: Type.Optional(
    Type.Unsafe<string | string[] | null>({
      type: ['string', 'array', 'null'],
      minLength: 1,
      maxLength: bounds.label,
      items: label,
      minItems: 1,
      maxItems: 32,
      description:
        'The environment that the key must belong to, or a list of those it may belong to; null is whichever, and the verdict says which. The first one if left out',
      examples: ['live'],
    }),
  ),
  scopes: Type.Optional(
    Type.Array(scope, {
      minItems: 1,
      maxItems: bounds.scopes,
      description: 'Scopes of which the key must have all',
      examples: [['orders:read']],
    }),
  ),
  anyOf: Type.Optional(
    Type.Array(scope, {
      minItems: 1,
      maxItems: bounds.scopes,
      description: 'Scopes of which the key must have one',
      examples: [['orders:read', 'orders:write']],
    }),
  ),
  cost: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: bounds.cost,
      description: 'What the call takes from limits and quota; 1 if left out',
    }),
  ),
}

const members = Type.Object(required)

/** The requirement in a request. */
type Required = Static<typeof members>

/** Reads requirements that keys can meet. */
export type RequirementReader = (asked: Required) => Requirement

/**
 * Reads what a request requires. A requirement that no key can meet is a mistake of who asks, and must not look like a
 * key without the scope.
 *
 * @returns a function that throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function requirementIn({ environments, scopes: declared }: RouteParts['keyring']): RequirementReader {
  const known = [...environments, adminEnvironment]
  const [first = ''] = environments

  return ({ environment = first, scopes, anyOf, cost = 1 }) => {
    const strange = [environment ?? first].flat().some((one) => !known.includes(one))
    if (strange || (Array.isArray(environment) && environment.includes(adminEnvironment))) {
      throw new LatchkeyError(
        'invalid_input',
        `environment must be one of ${known.join(', ')}, or a list without admin.`,
      )
    }
    const catalogue: Catalogue = environment === adminEnvironment ? adminScopes : declared
    if (scopes !== undefined) mustBeDeclared(scopes, catalogue)
    if (anyOf !== undefined) mustBeDeclared(anyOf, catalogue)
    return {
      environment,
      cost,
      ...(scopes === undefined ? {} : { allOf: scopes }),
      ...(anyOf === undefined ? {} : { anyOf }),
    }
  }
}

/**
 * Refuses a text that is no address: a key that is bound to addresses would be refused, and any other key accepted.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function mustBeAddress(text: string | undefined): void {
  if (text !== undefined && isIP(text) === 0) {
    throw new LatchkeyError('invalid_input', 'address must be an IP address.')
  }
}

function mustBeDeclared(scopes: readonly string[], declared: Catalogue): void {
  const strange = scopes.find((one) => !Object.hasOwn(declared, one))
  if (strange === undefined) return
  throw new LatchkeyError('unknown_scope', `The scope ${JSON.stringify(strange)} is not declared.`)
}
