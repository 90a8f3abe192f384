import type { Option } from 'commander'
import type { KeyDetails, KeyMembers } from 'latchkey'
import type { Column, Fact } from '../terminal/table.ts'
import type { Kind } from './kinds.ts'

/** Everything that a key may be given. */
export type Members = Required<KeyMembers<string>>

/** What commander has read from the options of a command, by their names. */
export type OptionValues = Readonly<Record<string, unknown>>

/** All that the command line knows of one field of a key. */
export interface KeyField<Member extends keyof Members> {
  /** Whether a new key must have it. */
  readonly required: undefined extends KeyMembers<string>[Member] ? false : true
  /** How its values are typed, read from a file, and shown. */
  readonly kind: Kind<NonNullable<Members[Member]>>
  /** The options that set it, the one that matters most first. */
  readonly options: readonly [Option, ...Option[]]
  /** The options of its parts, by the names of these, where they have their own. */
  readonly parts?: Readonly<Record<string, `--${string}`>>
  /** What its options say together, or `undefined` where none was given; what the first one says, if left out. */
  fromOptions?(options: OptionValues): Members[Member] | undefined
  /** The word after `--clear` that takes it away. */
  readonly clear: null extends Members[Member] ? string : undefined
  /** Its row on the page of a key; or its rows, where that is not one with its value. */
  readonly show: Row | ((key: KeyDetails) => readonly Fact[])
  /** How it stands in the list of keys, if it does. */
  readonly column?: Pick<Column<never>, 'title' | 'flexible' | 'below'>
}

/** A row of a page. */
interface Row {
  readonly title: string
  /** What it says where the key has none; if left out there is no row then. */
  readonly none?: string
}
