import { LatchkeyError } from '../error.ts'
import { invalid, membersOf, objectOf } from '../options.ts'
import type { Requirement, Verifier } from '../verify/verdict.ts'

/** The options of `requires`, which come before the names of scopes. */
export interface RequiresOptions<Scope extends string> {
  /** The key needs any one of these scopes. */
  readonly anyOf?: readonly [Scope, ...Scope[]]
  /** The environment of the key, or several that are taken; the first one of the keyring if left out. */
  readonly environment?: string | readonly string[]
  /** The cost of a call, which the limits and the quota of its key are charged: a whole number from 0; 1 if left out. */
  readonly cost?: number
}

/** The most that a call may cost. */
const mostCost = 1_000_000

/**
 * Lets any valid key pass. It is a word of its own, because an empty list of scopes may be one that was left empty by
 * mistake.
 *
 * @example app.get('/me', { onRequest: requires(anyKey) }, (request) => keyOf(request).owner)
 */
export const anyKey: unique symbol = Symbol.for('latchkey.anyKey') as never

/** One argument of `requires`: the name of a scope, `anyKey`, or in the first place the options. */
export type RequiresArgument<Scope extends string> = Scope | typeof anyKey | RequiresOptions<Scope>

const members = membersOf<RequiresOptions<string>>({ anyOf: true, environment: true, cost: true })

/**
 * Makes a requirement of the arguments of `requires`, and checks it while the application starts. It refuses what it does
 * not understand: ignored, a misspelt member would make a route that any key may call. For the same reason a member that
 * is there must have a value, and a requirement must not be empty.
 *
 * @throws LatchkeyError `unknown_scope`, `invalid_input`.
 */
export function requirementOf<Scope extends string>(
  verifier: Verifier<Scope>,
  args: readonly RequiresArgument<Scope>[],
): Requirement<Scope> {
  const [first, ...rest] = args
  const options = typeof first === 'object' ? checkedOptions<Scope>(first) : {}
  const named = typeof first === 'object' ? (rest as readonly (Scope | typeof anyKey)[]) : args
  const { anyOf, environment = verifier.environments[0], cost = 1 } = options
  const any = named.includes(anyKey)
  if (any && (named.length > 1 || anyOf !== undefined)) {
    throw invalid('anyKey', 'alone: a route that takes any key asks for no scope')
  }
  if (named.length === 0 && anyOf === undefined) {
    throw invalid('What requires(...) asks for', 'at least one scope, or anyKey where any valid key will do')
  }
  const allOf = any ? [] : (named as readonly Scope[])
  for (const scope of [...allOf, ...(anyOf ?? [])]) {
    if (typeof scope !== 'string' || !Object.hasOwn(verifier.scopes, scope)) {
      const what = typeof scope === 'string' ? JSON.stringify(scope) : 'something that is not the name of a scope'
      throw new LatchkeyError('unknown_scope', `A route requires ${what}, which is not declared.`)
    }
  }
  const several: readonly unknown[] = Array.isArray(environment) ? environment : [environment]
  if (several.length === 0 || !several.every((one) => verifier.environments.includes(one as string))) {
    const known = verifier.environments.join(', ')
    throw invalid('environment', `one of ${known}, or a list of some, not ${JSON.stringify(environment)}`)
  }
  if (!Number.isSafeInteger(cost) || cost < 0 || cost > mostCost) {
    throw invalid('cost', `a whole number from 0 to ${mostCost}`)
  }
  // A verifier reads a frozen requirement with frozen lists only once.
  return Object.freeze({
    environment: typeof environment === 'string' ? environment : Object.freeze([...(several as readonly string[])]),
    cost,
    ...(allOf.length === 0 ? {} : { allOf: Object.freeze([...allOf]) }),
    ...(anyOf === undefined ? {} : { anyOf: Object.freeze([...anyOf]) }),
  })
}

function checkedOptions<Scope extends string>(options: RequiresOptions<Scope> | null): RequiresOptions<Scope> {
  if (options === null || Array.isArray(options)) {
    throw invalid('What requires(...) takes', 'names of scopes one by one, and options as an object before them')
  }
  objectOf('The options of requires(...)', options, members)
  if (Object.keys(options).length === 0) {
    throw invalid('The options of requires(...)', `an object with at least one of ${members.join(', ')}`)
  }
  for (const [name, value] of Object.entries(options)) {
    // `environment: config.environment` would take keys of another environment if the configuration had none.
    if (value === undefined || value === null) throw invalid(name, 'given a value, or left out')
  }
  const { anyOf } = options
  if (anyOf !== undefined && (!Array.isArray(anyOf) || anyOf.length === 0)) {
    throw invalid('anyOf', 'a list of at least one scope')
  }
  return options
}
