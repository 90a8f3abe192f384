import { LatchkeyError } from '../error.ts'
import { bounds, invalid, oneOf, integer } from '../input.ts'
import { hasMembers } from '../options.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Catalogue, ScopeRequirement } from '../policy/scopes.ts'
import { shownScope } from '../policy/scopes.ts'
import type { CallContext, Requirement } from './verdict.ts'

/** A checked requirement. It has all members: a list that was left out is empty. */
export interface CheckedRequirement extends ScopeRequirement {
  /** The environment whose keys are taken, or several. */
  readonly environment: string | readonly string[]
  readonly cost: number
}

/** Whether a requirement takes keys of this environment. */
export function takes({ environment }: CheckedRequirement, ofKey: string): boolean {
  return environment === ofKey || (typeof environment !== 'string' && environment.includes(ofKey))
}

const nothing: readonly string[] = Object.freeze([])

/**
 * Reads and checks requirements. It refuses an unknown member and never ignores it: any key would meet a requirement
 * that is misspelt. A member that is there must have a value, and a list at least one scope, because an empty list may
 * be one that was left empty by mistake. A call for which any key will do has no requirement.
 *
 * A requirement that is frozen, with its lists, is read only once. Guards pass such requirements, so the warm path only
 * compares the object.
 *
 * @param environments - the environments that a requirement may name; the first is the default.
 * @param catalogueOf - the scopes of an environment; `undefined` if only another program knows them.
 * @returns a function that throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function requirementReader({
  environments,
  catalogueOf,
}: {
  readonly environments: readonly [string, ...string[]]
  readonly catalogueOf: (environment: string) => Catalogue | undefined
}): (requirement: Requirement | undefined) => CheckedRequirement {
  const [first] = environments
  const anyKey: CheckedRequirement = Object.freeze({ environment: first, allOf: nothing, anyOf: nothing, cost: 1 })
  const known = new WeakMap<object, CheckedRequirement>()
  // Most applications have the same requirement many times in a row.
  let last: object | undefined
  let lastChecked = anyKey

  return (requirement) => {
    if (requirement === undefined) return anyKey
    if (requirement === last) return lastChecked
    const checked = known.get(requirement) ?? read(requirement)
    const { allOf, anyOf, environment } = requirement
    const isFrozen = Object.isFrozen(requirement) && Object.isFrozen(allOf) && Object.isFrozen(anyOf)
    if (isFrozen && Object.isFrozen(environment)) {
      known.set(requirement, checked)
      last = requirement
      lastChecked = checked
    }
    return checked
  }

  function read(requirement: Requirement): CheckedRequirement {
    if (!hasMembers(requirement)) throw invalid('The requirement', 'an object')
    // `for…in` includes inherited members, which are read too.
    for (const member in requirement) {
      if (member !== 'allOf' && member !== 'anyOf' && member !== 'environment' && member !== 'cost') {
        throw strange('A requirement', member, 'allOf, anyOf, environment, cost')
      }
    }
    const environment = 'environment' in requirement ? taken(requirement.environment) : first
    const catalogue = catalogueOf(typeof environment === 'string' ? environment : first)
    return {
      environment,
      allOf: 'allOf' in requirement ? listed('allOf', requirement.allOf, catalogue) : nothing,
      anyOf: 'anyOf' in requirement ? listed('anyOf', requirement.anyOf, catalogue) : nothing,
      cost: 'cost' in requirement ? integer('cost', requirement.cost, { least: 0, most: bounds.cost }) : 1,
    }
  }

  /** Admin keys have scopes of their own, so they are never one of several. */
  function taken(value: unknown): string | readonly string[] {
    const ordinary = environments.filter((one) => one !== adminEnvironment)
    if (value === null) return ordinary.length === 0 ? first : ordinary
    if (!Array.isArray(value)) return oneOf('environment', value, environments)
    if (value.length === 0) throw invalid('environment', 'one or several environments, or null for whichever')
    return value.map((one: unknown, index) => oneOf(`environment[${index}]`, one, ordinary))
  }
}

function listed(name: string, value: unknown, catalogue: Catalogue | undefined): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(name, 'a list of at least one scope, or left out')
  for (const scope of value as readonly unknown[]) {
    if (typeof scope !== 'string') throw invalid(name, 'a list of scopes')
    if (catalogue !== undefined && !Object.hasOwn(catalogue, scope)) {
      throw new LatchkeyError('unknown_scope', `${shownScope(scope)} is not declared, so no key can have it.`)
    }
  }
  return value as readonly string[]
}

/**
 * Refuses a call context with an unknown member, such as a framework's request, or `dryrun` for `dryRun`.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function checkContext(call: CallContext): void {
  if (!hasMembers(call)) throw invalid('The call', 'an object')
  for (const member in call) {
    if (member !== 'ip' && member !== 'dryRun' && member !== 'seenBy') {
      throw strange('A call', member, 'ip, dryRun, seenBy')
    }
  }
  if (call.dryRun !== undefined && typeof call.dryRun !== 'boolean') throw invalid('dryRun', 'true or false')
}

function strange(what: string, member: string, members: string): LatchkeyError {
  return invalid(what, `an object with no members but ${members}; ${JSON.stringify(member.slice(0, 40))} is none`)
}
