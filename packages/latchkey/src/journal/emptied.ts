import { hash } from 'node:crypto'
import type { Emptied, JournalEntry } from '../ports.ts'
import { membersOfText } from './change-text.ts'

/** What stands in an emptied entry where a name was. */
export const erased = 'erased'

/** What an entry notes of those that it has emptied: how many, and a digest of all that is left of them. */
export interface Emptying {
  readonly entries: number
  readonly digest: string
}

/** What is left of an entry; by default its actor, its subject, and nothing of its change. */
export type Left = Partial<Pick<JournalEntry, 'actor' | 'subject'>> & { readonly change?: object }

/**
 * Empties an entry. What is left of one that was emptied in part before goes too, and a hash of it stays: the entry that
 * emptied it then has still something to answer for.
 */
export function emptied(entry: JournalEntry, { actor, subject, change = {} }: Left = {}): Emptied {
  const earlier = entry.emptiedBy === undefined ? [] : [...earlierOf(entry), [entry.emptiedBy, formOf(entry)]]
  const left = earlier.length === 0 ? change : { ...change, earlier }
  const after = { actor: actor ?? entry.actor, subject: subject ?? entry.subject, change: JSON.stringify(left) }
  return { before: entry, after }
}

/** Whether nothing is left of an entry's change. */
export function isEmpty({ emptiedBy, change }: JournalEntry): boolean {
  return emptiedBy !== undefined && Object.keys(membersOfText(change)).every((name) => name === 'earlier')
}

/** What an entry notes of those that it empties, in the order of their numbers. */
export function emptyingOf(entries: readonly Emptied[]): Emptying {
  const digest = entries.reduce((sum, { before, after }) => folded(sum, formOf({ ...before, ...after })), '')
  return { entries: entries.length, digest }
}

/** The emptied entries of a journal that is read from its beginning to its end. */
export interface Emptyings {
  /** Takes an entry that was emptied. Answers `false` if it says so of itself in vain. */
  readonly emptied: (entry: JournalEntry) => boolean
  /** Takes any entry. Answers the number of the first entry that is not as this one says; `undefined` if all are. */
  readonly read: (entry: JournalEntry) => number | undefined
  /** The first emptied entry that no entry has answered for yet. */
  readonly unanswered: () => number | undefined
}

/**
 * Checks that of each emptied entry is left what a later entry of the chain says. Its hash is still that of what was in it, so
 * the chain holds without it; the later entry, which the chain covers, shows that it was emptied, and that nothing was
 * added.
 */
export function openEmptyings(): Emptyings {
  const open = new Map<number, Emptying & { readonly first: number }>()

  function add(by: number, form: string, seq: number): void {
    const { entries, digest, first } = open.get(by) ?? { entries: 0, digest: '', first: seq }
    open.set(by, { entries: entries + 1, digest: folded(digest, form), first })
  }

  return {
    emptied(entry) {
      const { seq, emptiedBy = 0 } = entry
      const forms = [...earlierOf(entry), [emptiedBy, formOf(entry)] as const]
      if (!forms.every(([by]) => by > seq)) return false
      for (const [by, form] of forms) add(by, form, seq)
      return true
    },
    read({ seq, action, change }) {
      const claim = action === 'erase' ? emptyingIn(change) : undefined
      const found = open.get(seq)
      open.delete(seq)
      if (claim?.entries === found?.entries && claim?.digest === found?.digest) return undefined
      return found?.first ?? seq
    },
    unanswered: () => (open.size === 0 ? undefined : Math.min(...[...open.values()].map(({ first }) => first))),
  }
}

type Form = readonly [by: number, form: string]

/** The emptyings of an entry before the last, and a hash of what each has left of it. */
function earlierOf({ change }: JournalEntry): readonly Form[] {
  const { earlier } = membersOfText(change)
  if (!Array.isArray(earlier)) return []
  return earlier.filter((one): one is Form => {
    return Array.isArray(one) && typeof one[0] === 'number' && typeof one[1] === 'string'
  })
}

/** What an entry says of those that it has emptied; `undefined` if it says nothing. */
function emptyingIn(change: string): Partial<Emptying> | undefined {
  const { emptied: claim } = membersOfText(change)
  return typeof claim === 'object' && claim !== null ? claim : undefined
}

/** A hash of what is left of an entry. */
function formOf({ seq, at, actor, action, subject, change, previous, hash: own }: JournalEntry): string {
  return hash('sha256', JSON.stringify([seq, at, actor, action, subject, change, previous, own]), 'hex')
}

function folded(sum: string, form: string): string {
  return hash('sha256', sum + form, 'hex')
}
