import { bounds, namePattern, scopePattern } from 'latchkey'
import { readJsonFile } from './json-file.ts'

/** What a proxy asks for under one name, as the file says it. Members that are left out have their defaults. */
interface Policy {
  /** The scopes that a key must have, all of them; `any` takes every key. */
  readonly scopes: readonly string[] | 'any'
  /** The environments whose keys are taken; the first one of the keyring if left out. */
  readonly environment?: string | readonly string[]
  /** What a call takes from limits and quota; 1 if left out. */
  readonly cost?: number
  /** Where callers send their keys; `header` if left out. */
  readonly credential?: 'header' | 'bearer' | 'either'
  /** The service that identities are made for; the name of the policy if left out. */
  readonly audience?: string
  /** The scopes that the service learns of, where the key has them; those that the policy asks for if left out. */
  readonly passScopes?: readonly string[]
}

/** Policies by their names. */
export type Policies = Readonly<Record<string, Policy>>

/** The content of a file with policies; or what the file must be, as the end of a sentence. */
export type PoliciesFile =
  | { readonly policies: Policies; readonly must: undefined }
  | { readonly policies: undefined; readonly must: string }

/** The name of a policy: it is a part of an address. */
const policyName = /^[a-z][a-z0-9-]{0,62}$/

/** A name that may be told. Any other text may be a secret. */
const memberName = /^[A-Za-z_]{1,30}$/

/** What each member must be. */
const members: { readonly [Member in keyof Policy]-?: readonly [must: string, fits: (value: unknown) => boolean] } = {
  scopes: ['names of scopes, at least one, or "any"', (value) => value === 'any' || areScopes(value)],
  environment: ['an environment, or a list of some', (value) => [value].flat().every(isEnvironment) && !isEmpty(value)],
  cost: [`a whole number from 0 to ${bounds.cost}`, isCost],
  credential: ['header, bearer or either', (value) => ['header', 'bearer', 'either'].includes(value as string)],
  audience: ['1 to 120 visible ASCII characters', (value) => typeof value === 'string' && /^[!-~]{1,120}$/.test(value)],
  passScopes: ['a list of names of scopes', (value) => Array.isArray(value) && (isEmpty(value) || areScopes(value))],
}

/**
 * Reads a file with policies. Whether their scopes and environments are declared is known later, from the database.
 *
 * @example readPoliciesFile('policies.json') // { policies: { process: { scopes: ['process:run'] } } }
 */
export function readPoliciesFile(file: string): PoliciesFile {
  const { value, must } = readJsonFile(file, (name) => policyName.test(name) || memberName.test(name))
  if (must !== undefined) return { policies: undefined, must }
  const fault = faultOf(value)
  if (fault === undefined) return { policies: value as Policies, must: undefined }
  return { policies: undefined, must: `the path of a file ${fault}` }
}

function faultOf(policies: unknown): string | undefined {
  if (!isObject(policies) || Object.keys(policies).length === 0) {
    return 'such as { "process": { "scopes": ["process:run"] } }: names of policies, and an object for each'
  }
  for (const [name, policy] of Object.entries(policies)) {
    if (!policyName.test(name)) {
      return 'in which the names of policies are of lower-case letters, digits and -, and one is not'
    }
    const fault = faultOfPolicy(policy)
    if (fault !== undefined) return `in which ${name} is a policy, and ${fault}`
  }
  return undefined
}

function faultOfPolicy(policy: unknown): string | undefined {
  const known = Object.keys(members).join(', ')
  if (!isObject(policy)) return `it is no object with ${known}`
  for (const [member, value] of Object.entries(policy)) {
    if (!Object.hasOwn(members, member)) {
      const shown = memberName.test(member) ? member : 'one of its members'
      return `${shown} is none of ${known}`
    }
    const [must, fits] = members[member as keyof Policy]
    if (!fits(value)) return `its ${member} is not ${must}`
  }
  return 'scopes' in policy ? undefined : `it has no scopes: ${members.scopes[0]}`
}

function areScopes(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > bounds.scopes) return false
  return value.every((one) => typeof one === 'string' && scopePattern.test(one)) && new Set(value).size === value.length
}

function isEnvironment(value: unknown): boolean {
  return typeof value === 'string' && namePattern.test(value)
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function isCost(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= bounds.cost
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
