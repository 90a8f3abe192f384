import { scopePattern } from 'latchkey'
import { readJsonFile } from './json-file.ts'

/** The content of a file that declares scopes; or what the file must be, as the end of a sentence. */
export type ScopesFile =
  | { readonly scopes: Readonly<Record<string, string>>; readonly must: undefined }
  | { readonly scopes: undefined; readonly must: string }

/**
 * Reads a file that declares scopes.
 *
 * @example readScopesFile('scopes.json') // { scopes: { 'orders:read': 'Read orders' } }
 */
export function readScopesFile(file: string): ScopesFile {
  const { value, must } = readJsonFile(file, (name) => scopePattern.test(name))
  if (must !== undefined) return { scopes: undefined, must }
  if (areScopes(value)) return { scopes: value, must: undefined }
  const example = 'such as { "orders:read": "Read orders" }: names written resource:action, and a sentence for each'
  return { scopes: undefined, must: `the path of a file ${example}` }
}

function areScopes(declared: unknown): declared is Readonly<Record<string, string>> {
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) return false
  return Object.entries(declared).every(
    ([name, sentence]) => scopePattern.test(name) && typeof sentence === 'string' && sentence.trim() !== '',
  )
}
