import type { Key, KeyDetails } from 'latchkey'
import { keyFields } from '../key-fields.ts'
import type { Column, Fact } from '../terminal/table.ts'

/** The rows for the fields of a key, on its page. */
export function fieldFacts(key: KeyDetails): readonly Fact[] {
  return keyFields.flatMap(([member, { kind, show }]) => {
    if (typeof show === 'function') return show(key)
    const value = key[member]
    // An empty list, or an object without members, counts as none.
    const text = value === null ? '' : kind.shown(value)
    return [[show.title, text || show.none] as const]
  })
}

/** The columns for the fields of keys, in a list. */
export const fieldColumns: readonly Column<Key>[] = keyFields.flatMap(([member, { kind, column }]) => {
  if (column === undefined) return []
  const text = ({ [member]: value }: Key): string => (value === null ? '' : (kind.inCell ?? kind.shown)(value))
  return [{ ...column, text }]
})
