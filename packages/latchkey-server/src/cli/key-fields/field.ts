import type { Option } from 'commander'
import type { KeyDetails, KeyMembers } from 'latchkey'
import type { Column, Fact } from '../terminal/table.ts'
import type { Kind } from './kinds.ts'

/** Everything that a key may be given. */
export type Members = Required<KeyMembers<string>>

/** The values of the options of a command, by the names of the options. */
export type OptionValues = Readonly<Record<string, unknown>>

/** One field of a key on the command line. */
export interface KeyField<Member extends keyof Members> {
  /** Whether a new key must have it. */
  readonly required: undefined extends KeyMembers<string>[Member] ? false : true
  /** How its values are typed, read from a file and shown. */
  readonly kind: Kind<NonNullable<Members[Member]>>
  /** The options that set it, the main one first. */
  readonly options: readonly [Option, ...Option[]]
  /** The options of its parts that have their own, by the names of the parts. */
  readonly parts?: Readonly<Record<string, `--${string}`>>
  /** Its value from all its options, `undefined` if none was given. Without this, the first option has the value. */
  fromOptions?(options: OptionValues): Members[Member] | undefined
  /** The word after `--clear` that removes it. */
  readonly clear: null extends Members[Member] ? string : undefined
  /** Its row on the page of a key; a function if it is not one row with the value. */
  readonly show: Row | ((key: KeyDetails) => readonly Fact[])
  /** Its column in the list of keys, if it has one. */
  readonly column?: Pick<Column<never>, 'title' | 'flexible' | 'below'>
}

/** A row of a page. */
interface Row {
  readonly title: string
  /** The text of the row if the key has no value; without this text there is no row then. */
  readonly none?: string
}
