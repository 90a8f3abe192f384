import type { ChangesSince, ImportedKind, JournalHead } from '../ports.ts'

/** A member as it registers. */
export interface NewMember {
  /** A fresh id for every registration: a row that was doomed is never taken for one that came after it. */
  readonly id: string
  /** The name of the instance, for people. */
  readonly instance: string
  /** The id of its registration before, which ends with this one. */
  readonly former: string | undefined
}

/** One look at the journal and at the member's own row, read at one point in time. */
export interface MemberView {
  readonly row: 'present' | 'doomed' | 'absent'
  /** Whether the server only repeats another one, and may be behind it. */
  readonly isReplica: boolean
  /** The hash of the entry with the number that was seen last; `undefined` if there is none. */
  readonly hashAtSeen: string | undefined
  readonly head: JournalHead | undefined
  /** The entries after the one that was seen last; `everything` when there are too many to name. */
  readonly changed: ChangesSince['changed']
  readonly imported: readonly ImportedKind[]
}

/** A change that is waited for; the hash of its entry, where it is known. */
export interface AwaitedChange {
  readonly seq: number
  readonly hash: string | undefined
}

/** How far the members have come, read at one point in time. */
export interface Progress {
  /** How many members there are, doomed ones included. */
  readonly members: number
  /** Those that have not confirmed the last of the changes that were asked about, and up to where they have. */
  readonly behind: readonly { readonly id: string; readonly instance: string; readonly seen: number }[]
  /** The sequence numbers of those changes whose entry is not in the journal with this hash. */
  readonly lost: readonly number[]
  /** Differs after every start and every failover of the server. */
  readonly incarnation: string
  /** Whether it is another incarnation than the one that was trusted last. */
  readonly isFenced: boolean
}

/**
 * The table of members, beside the journal. Each method is one statement, never a part of a longer transaction, and rejects
 * if the server does not answer in time. A member that has confirmed nothing has seen -1.
 */
export interface MembersTable {
  /** Adds a member, and removes its former row. Durable, and visible to every read that is made after it has answered. */
  register(member: NewMember): Promise<void>
  /** Reads and writes nothing. */
  look(id: string, seen: JournalHead | undefined): Promise<MemberView>
  /** Notes how far a member has come; never back, and only if the journal has this entry with this hash. May get lost. */
  confirm(id: string, head: JournalHead): Promise<void>
  progress(changes: readonly AwaitedChange[]): Promise<Progress>
  /** Marks those of these members that have not confirmed a change. They count until they are removed. */
  doom(ids: readonly string[], seq: number): Promise<void>
  /** Removes those of these members that are doomed. */
  removeDoomed(ids: readonly string[]): Promise<void>
  /** Removes a member that has no lease. */
  leave(id: string): Promise<void>
  /** Notes that no lease from before this incarnation is left, if the server is still in it. */
  trust(incarnation: string): Promise<void>
}
