import type { TargetOptions } from './target.ts'

/**
 * A command that a message names, as it can be pasted into a shell: with the flags that lead to the same keyring.
 *
 * @example advised('keys list', { store: 'sqlite:my keys.db' }) // "latchkey keys list --store 'sqlite:my keys.db'"
 */
export function advised(words: string, options: TargetOptions = {}): string {
  const { url, store, scopes, prefix, environments, insecureHttp } = options
  const flags = Object.entries({ url, store, scopes, prefix, environments }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag} ${quoted(value)}`],
  )
  if (insecureHttp === true) flags.push('--insecure-http')
  return ['latchkey', words, ...flags].join(' ')
}

/** A word as a shell takes it for one. */
export function quoted(word: string): string {
  return /^[\w./:@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** What makes an admin key that may do and give everything, beside the database. */
export const issueAdmin = 'keys issue --admin --name Operator --owner operator'
