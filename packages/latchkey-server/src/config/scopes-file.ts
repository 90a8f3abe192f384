import { readFileSync, statSync } from 'node:fs'
import { scopePattern } from 'latchkey'
import { repeatedMember } from 'latchkey/problem/fastify'

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
  const must = (what: string): ScopesFile => ({ scopes: undefined, must: `the path of a file${what}` })
  let bytes: Uint8Array
  try {
    // Reading a pipe could wait for ever.
    if (!statSync(file).isFile()) throw new Error('It is not a file.')
    bytes = readFileSync(file)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return must(isMissing ? ', and there is none' : ' that can be read, and what is there is not')
  }
  let text: string
  let declared: unknown
  try {
    // Decoding anything but UTF-8 would change the text, and people read the sentence of a scope.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    declared = JSON.parse(text)
  } catch {
    return must(' in JSON and UTF-8, and what stands in it is not')
  }
  const twice = repeatedMember(text)?.slice(1)
  if (twice !== undefined) {
    // A text that is no name of a scope may be anything, and of any length.
    return must(` with each name once, and ${scopePattern.test(twice) ? twice : 'one'} stands in it twice`)
  }
  return areScopes(declared)
    ? { scopes: declared, must: undefined }
    : must(' such as { "orders:read": "Read orders" }: names written resource:action, and a sentence for each')
}

function areScopes(declared: unknown): declared is Readonly<Record<string, string>> {
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) return false
  return Object.entries(declared).every(
    ([name, sentence]) => scopePattern.test(name) && typeof sentence === 'string' && sentence.trim() !== '',
  )
}
