import type { TargetOptions } from './target.ts'

/**
 * A command for a message, ready to paste into a shell: with the flags that lead to the same keyring.
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

/** A word, quoted for a shell if necessary. */
export function quoted(word: string): string {
  return /^[\w./:@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** The command that issues an admin key with every right, beside the database. */
export const issueAdmin = 'keys issue --admin --name Operator --owner operator'
