import { isBase62 } from './base62.ts'
import { hasChecksum } from './checksum.ts'
import { headAtEnd, longestName, tailLength } from './parse.ts'

/** Characters before the last `_` of a secret at least: `a_b_`. */
const shortestHead = 4

/**
 * Whether a text contains a minted secret, with any prefix and environment. The checksum separates secrets from texts
 * that only look like one: one in four billion random texts of that shape is taken for a secret.
 *
 * @example holdsSecret('the old one was lk_live_…') // true, with the whole of it there
 */
export function holdsSecret(text: string): boolean {
  if (text.length < shortestHead + tailLength) return false
  for (let at = text.indexOf('_'); at >= 0; at = text.indexOf('_', at + 1)) {
    const end = at + 1 + tailLength
    if (end > text.length) return false
    const head = headAtEnd.exec(text.slice(Math.max(0, at - 2 * longestName - 1), at + 1))
    if (head === null || !isBase62(text.slice(at + 1, end), 0)) continue
    // The text before the secret may run into the prefix, so every possible start of the prefix is tried.
    const shown = text.slice(at + 1 - head[0].length, end)
    const prefix = head[0].indexOf('_')
    for (let start = 0; start < prefix; start++) {
      if (/[a-z]/.test(shown[start] ?? '') && hasChecksum(shown.slice(start))) return true
    }
  }
  return false
}
