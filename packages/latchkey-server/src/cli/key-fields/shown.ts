import type { Key, KeyDetails } from 'latchkey'
import { keyFields } from '../key-fields.ts'
import type { Column, Fact } from '../terminal/table.ts'

/** The rows for what a key was given. */
export function fieldFacts(key: KeyDetails): readonly Fact[] {
  return keyFields.flatMap(([member, { kind, show }]) => {
    if (typeof show === 'function') return show(key)
    const value = key[member]
    // What is empty is none: a list, and what has no members.
    const text = value === null ? '' : kind.shown(value)
    return [[show.title, text || show.none] as const]
  })
}

/** The columns for what a key was given, in a list. */
export const fieldColumns: readonly Column<Key>[] = keyFields.flatMap(([member, { kind, column }]) => {
  if (column === undefined) return []
  const text = ({ [member]: value }: Key): string => (value === null ? '' : (kind.inCell ?? kind.shown)(value))
  return [{ ...column, text }]
})
