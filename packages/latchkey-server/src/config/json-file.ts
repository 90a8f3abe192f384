import { readFileSync, statSync } from 'node:fs'
import { repeatedMember } from 'latchkey/problem/fastify'

/** The value that a file has in JSON; or what the file must be, as the end of a sentence. */
export type JsonFile =
  | { readonly value: unknown; readonly must: undefined }
  | { readonly value: undefined; readonly must: string }

/**
 * Reads a file in JSON whose text people answer for: in UTF-8, and with each member once.
 *
 * @param isName - whether the name of a member that stands there twice may be told. Any other text may be a secret, and of
 *   any length.
 *
 * @example readJsonFile('scopes.json', (name) => scopePattern.test(name)) // { value: { 'orders:read': 'Read orders' } }
 */
export function readJsonFile(file: string, isName: (name: string) => boolean): JsonFile {
  const must = (what: string): JsonFile => ({ value: undefined, must: `the path of a file${what}` })
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
  let value: unknown
  try {
    // Decoding anything but UTF-8 would change the text, and people read the sentence of a scope.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return must(' in JSON and UTF-8, and what stands in it is not')
  }
  const twice = repeatedMember(text)?.split('/').at(-1)
  if (twice === undefined) return { value, must: undefined }
  return must(` with each name once, and ${isName(twice) ? twice : 'one'} stands in it twice`)
}
