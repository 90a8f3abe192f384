import { LatchkeyError } from '../error.ts'

/** The declared scopes, each with the sentence that the documentation shows: `{ 'orders:read': 'Read orders' }`. */
export type Catalogue<Scope extends string = string> = Readonly<Record<Scope, string>>

/** All actions on one resource: `orders:*`, for each resource that has a declared scope. */
export type Wildcard<Scope extends string> = Scope extends `${infer Resource}:${string}` ? `${Resource}:*` : never

/** A right that a key may be granted: a declared scope, or all actions on a resource. */
export type Grant<Scope extends string> = Scope | Wildcard<Scope>

/**
 * The grant that stands for all actions on the resource of a scope.
 *
 * @example wildcardOf('orders:read') // 'orders:*'
 */
export function wildcardOf(scope: string): string {
  return `${scope.slice(0, scope.indexOf(':'))}:*`
}

/** The form of a scope's name: `resource:action`. */
export const scopePattern: RegExp = /^[a-z][a-z0-9_-]{0,31}:[a-z][a-z0-9_-]{0,31}$/

/**
 * Checks the names of a catalogue.
 *
 * @throws LatchkeyError `invalid_input` for a name that is not `resource:action`.
 */
export function checkCatalogue(catalogue: Catalogue): void {
  for (const scope of Object.keys(catalogue)) {
    if (!scopePattern.test(scope)) {
      throw new LatchkeyError(
        'invalid_input',
        `The scope ${JSON.stringify(scope)} must be written resource:action in lower case, such as orders:read.`,
      )
    }
  }
}

/**
 * The scopes that `granted` stands for. `orders:*` stands for every declared scope whose resource is exactly `orders`;
 * a scope that is no longer declared stands for nothing.
 *
 * @example expand(['orders:*'], { 'orders:read': '…', 'orders:write': '…' }) // Set { orders:read, orders:write }
 */
export function expand<Scope extends string>(
  granted: readonly string[],
  catalogue: Catalogue<Scope>,
): ReadonlySet<Scope> {
  const expanded = new Set<Scope>()
  for (const scope of Object.keys(catalogue) as Scope[]) {
    if (granted.includes(scope) || granted.includes(wildcardOf(scope))) expanded.add(scope)
  }
  return expanded
}

/**
 * The scopes asked for, each once, if all of them can be given.
 *
 * @throws LatchkeyError `unknown_scope` for one that stands for no declared scope: a right that is not declared is
 *   never given.
 */
export function grantable(requested: readonly string[], catalogue: Catalogue): readonly string[] {
  for (const scope of requested) {
    if (typeof scope !== 'string' || expand([scope], catalogue).size === 0) {
      throw new LatchkeyError('unknown_scope', `${shownScope(scope)} is not declared. ${declaredIn(catalogue)}`)
    }
  }
  return [...new Set(requested)]
}

/** A sentence that lists the declared scopes. */
function declaredIn(catalogue: Catalogue): string {
  const known = Object.keys(catalogue)
  if (known.length > 0) return `Declared: ${known.join(', ')}.`
  return 'Nothing is: scopes are declared by the application that opens the keyring, or in a file with scopes.'
}

/**
 * The text for a scope in an error. A value is repeated only if it has the form of a scope: any other may be a secret
 * in the wrong place.
 */
export function shownScope(scope: unknown): string {
  const named = typeof scope === 'string' && scopePattern.test(scope.replace(/:\*$/, ':all'))
  return named ? `The scope ${JSON.stringify(scope)}` : 'What was given as a scope'
}

/** The scopes that a route asks for. */
export interface ScopeRequirement {
  /** The key must have every one of these. */
  readonly allOf: readonly string[]
  /** The key must have at least one of these, unless the list is empty. */
  readonly anyOf: readonly string[]
}

/**
 * Whether a key that holds these (expanded) scopes meets the requirement.
 *
 * @example covers(new Set(['orders:read']), { allOf: [], anyOf: ['orders:read', 'orders:write'] }) // true
 */
export function covers(held: ReadonlySet<string>, { allOf, anyOf }: ScopeRequirement): boolean {
  for (const scope of allOf) if (!held.has(scope)) return false
  if (anyOf.length === 0) return true
  for (const scope of anyOf) if (held.has(scope)) return true
  return false
}

/**
 * The scopes that a key lacks for a requirement: those of `allOf`, and all of `anyOf` if it holds none of them.
 *
 * @example missingScopes(new Set(['orders:read']), { allOf: ['orders:read', 'orders:write'], anyOf: [] }) // ['orders:write']
 */
export function missingScopes(held: ReadonlySet<string>, { allOf, anyOf }: ScopeRequirement): readonly string[] {
  const lacking = allOf.filter((scope) => !held.has(scope))
  return anyOf.some((scope) => held.has(scope)) ? lacking : [...new Set([...lacking, ...anyOf])]
}
