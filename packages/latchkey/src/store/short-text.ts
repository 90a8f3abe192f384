// A text of one or two characters has no index of its parts, and would be a part of almost everything. It is looked for where
// a name, an owner or the start of a secret begins, in the indexes that are in their order.

import { lower } from './like.ts'
import type { Bind, Walk } from './list-order.ts'
import { inEach } from './list-order.ts'

/** Whether a text is found only at the beginning of others. */
export function isShort(text: string): boolean {
  return Array.from(text).length < 3
}

/**
 * Places of all keys that may be seen and begin with a short text, and perhaps of others. For an owner who begins with it
 * too, all would have to be named: `undefined`.
 */
export function beginningPlaces(text: string, keys: Walk, bind: Bind): string | undefined {
  const { owner, environments } = keys
  if (owner !== undefined && lower(owner).startsWith(lower(text))) return undefined
  const spans = ['k.name', 'SUBSTR(k.start, 1, 2)'].flatMap((column) =>
    spellings(text).map((spelling) => spanOf(column, spelling, bind)),
  )
  const own = inEach(keys, bind).flatMap((all) =>
    spans.map((span) => `SELECT k.place FROM latchkey_keys k WHERE ${all} AND ${span}`),
  )
  if (owner !== undefined) return own.join(' UNION ALL ')
  // The table of counts has each owner once.
  const span = spanOf('LOWER(c.owner)', lower(text), bind)
  const ofOwners = environments.map(
    (environment) => `SELECT k.place FROM latchkey_counts c CROSS JOIN latchkey_keys k
      WHERE c.environment = ${bind(environment)} AND ${span} AND k.owner = c.owner AND k.environment = c.environment`,
  )
  return [...own, ...ofOwners].join(' UNION ALL ')
}

/** An index in the order of bytes has the spellings of a text apart. */
function spellings(text: string): readonly string[] {
  const characters = Array.from(lower(text), (character) => [
    ...new Set([character, character.replace(/[a-z]/, (letter) => letter.toUpperCase())]),
  ])
  return characters.reduce<readonly string[]>((all, next) => all.flatMap((one) => next.map((end) => one + end)), [''])
}

/** From a text to the first one that does not begin with it, by code points. */
function spanOf(column: string, text: string, bind: Bind): string {
  const last = Array.from(text).at(-1) ?? ''
  const from = `${column} >= ${bind(text)}`
  const following = (last.codePointAt(0) ?? 0) + 1
  if (following > 0x10_ff_ff) return from
  // Surrogates are no characters.
  const end = String.fromCodePoint(following === 0xd8_00 ? 0xe0_00 : following)
  return `${from} AND ${column} < ${bind(text.slice(0, -last.length) + end)}`
}
