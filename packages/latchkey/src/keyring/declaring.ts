import { invalid } from '../options.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { checkCatalogue } from '../policy/scopes.ts'
import type { Declared, Store } from '../ports.ts'
import { namePattern } from '../secret/parse.ts'

/** The declarations of a keyring when it is opened; a member that is left out is as it was declared last. */
export interface Declaration<Scope extends string> {
  readonly scopes?: Catalogue<Scope>
  readonly prefix?: string
  readonly environments?: readonly [string, ...string[]]
}

/** The declarations that apply to a keyring. */
export interface Declarations<Scope extends string> {
  /** Empty also if none was ever declared. */
  readonly scopes: Catalogue<Scope>
  readonly prefix: string
  readonly environments: readonly [string, ...string[]]
}

/**
 * The declarations that apply to a keyring, by precedence: those it is opened with, those declared last in its store,
 * the defaults. Once scopes are known, all of them are kept in the store, for programs that open the same store without
 * the application.
 *
 * @param onError - receives the error when a declaration could not be kept; the keyring opens all the same.
 * @throws LatchkeyError `invalid_input`.
 */
export async function declarationsOf<Scope extends string>(
  store: Pick<Store, 'declared' | 'declare'>,
  declaration: Declaration<Scope>,
  onError: (error: unknown) => void,
): Promise<Declarations<Scope>> {
  for (const name of ['scopes', 'prefix', 'environments'] as const) {
    // A value that was forgotten would silently be replaced by another one.
    if (name in declaration && (declaration[name] ?? undefined) === undefined)
      throw invalid(name, 'given, or left out to be as declared before')
  }
  const before = await store.declared()
  const scopes = declaration.scopes ?? before?.scopes
  const prefix = declaration.prefix ?? before?.prefix ?? 'lk'
  const environments = declaration.environments ?? (before?.environments as [string, ...string[]] | undefined) ?? usual
  check(scopes ?? {}, prefix, environments)
  if (scopes !== undefined) await keep(store, before, { scopes, prefix, environments }).catch(onError)
  return { scopes: scopes ?? ({} as Catalogue<Scope>), prefix, environments }
}

const usual: readonly [string, ...string[]] = ['live', 'test']

async function keep(
  store: Pick<Store, 'declare'>,
  before: Declared | undefined,
  { scopes, prefix, environments }: Declared,
): Promise<void> {
  const now: Declared = { scopes, prefix, environments }
  const same = before !== undefined && JSON.stringify(inOrder(before)) === JSON.stringify(inOrder(now))
  if (!same) await store.declare(now)
}

function inOrder({ scopes, prefix, environments }: Declared): readonly unknown[] {
  return [Object.entries(scopes), prefix, environments]
}

function check(scopes: Catalogue, prefix: string, environments: readonly string[]): void {
  if (typeof scopes !== 'object' || scopes === null || Array.isArray(scopes)) {
    throw invalid('scopes', "an object such as { 'orders:read': 'Read orders' }")
  }
  checkCatalogue(scopes)
  for (const word of [prefix, ...environments]) {
    if (!namePattern.test(word)) {
      throw invalid('prefix and environments', 'lower-case letters and digits, 1 to 16, beginning with a letter')
    }
  }
  if (environments.length === 0 || new Set(environments).size < environments.length) {
    throw invalid('environments', 'a list of at least one, each once')
  }
  if (environments.includes(adminEnvironment))
    throw invalid('environments', `without ${adminEnvironment}, which is reserved`)
}
