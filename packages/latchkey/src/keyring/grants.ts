import { bounds, invalid } from '../input.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { grantable } from '../policy/scopes.ts'

/**
 * A list of scopes and wildcards that all stand for something in the catalogue.
 *
 * @param name - the name of the member, for the error.
 * @throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function grants(name: string, value: unknown, catalogue: Catalogue): readonly string[] {
  if (!Array.isArray(value) || value.length > bounds.scopes) throw invalid(name, `a list of at most ${bounds.scopes}`)
  return grantable(value as readonly string[], catalogue)
}
