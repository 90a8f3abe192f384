import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { chain } from '../../journal/chain.ts'
import { emptyingOf, erased, isEmpty } from '../../journal/emptied.ts'
import type { Snapshot } from '../../journal/snapshot.ts'
import type { Change, Conditions, Emptied, JournalDraft, JournalEntry, Store } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { Propagated } from '../propagated.ts'

/** What was erased, and how that can be looked up. */
export interface Erased extends Propagated {
  /** The number of the journal entry that says so: of what was erased, nothing else is left to name it by. */
  readonly entry: number
  /**
   * Nothing of it is left in the files of the store. `false` while somebody else reads a state of before, and so keeps it
   * in the log of the database: the next call that erases something clears that too. Also `false` for a database of more
   * than 64 MiB, whose pages may still have copies until it is written anew (`latchkey scrub`, or
   * `rewrite` of the store).
   */
  readonly cleared: boolean
  /** The call was made before, with the same `idempotencyKey`. */
  readonly repeated: boolean
}

/** Entries that are emptied, and rows of use that are deleted, in one transaction: a few milliseconds. */
export const piece = 20

/** How often it is tried to clear the files, and milliseconds between two tries. */
const clearings = 20
const pause = 50

type EraseChange = Extract<Change, { kind: 'erase' }>

/** What the transactions of one erasure have in common. */
interface Erasing {
  /** Who erases, as the entries name it. */
  readonly actor: string
  /** Looks whether the caller may still do this, and answers what the transaction checks once more. */
  readonly mayErase: () => Promise<Conditions['authority']>
  /** What is left of an entry. */
  readonly empty: (entry: JournalEntry) => Emptied
  /** The owner that is erased, at the revision that the caller has seen. */
  readonly owner?: { readonly owner: string; readonly revision: number }
}

/** The steps of an erasure. Each makes its transactions; those that may be interrupted leave nothing that is not as it says. */
export interface ErasingSteps {
  /** Commits changes of one erasure; answers `undefined` if something was changed meanwhile. */
  readonly commit: (
    changes: readonly Change[],
    idempotent?: Conditions['idempotent'],
  ) => Promise<readonly JournalEntry[] | undefined>
  /** What is left of an entry. */
  readonly empty: Erasing['empty']
  /** The entry that says what was erased. */
  readonly draft: (subject: string, entries: readonly Emptied[], more?: Partial<JournalDraft>) => JournalDraft
  /** The change that empties entries, and erases a key if one is given. */
  readonly change: (
    entries: readonly Emptied[],
    more?: {
      readonly subject?: string
      readonly key?: { readonly id: string; readonly revision: number }
      /** Entries that are in the journal of the owner no longer; those that are emptied, if left out. */
      readonly unfiled?: readonly number[]
      /** Rows of which an emptied entry told how they stand: the new entry tells it in its place. */
      readonly rows?: Snapshot['rows']
    },
  ) => Change
  /** The change that erases the owner, whose name is nowhere else in the journal up to an entry. */
  readonly ownerChange: (entries: readonly Emptied[], searched: number) => Change
  /** Deletes the usage and the refusals of a key or of an owner, piece by piece. */
  readonly forgetUse: (of: Parameters<Store['forgetUse']>[0]) => Promise<void>
  /**
   * Empties the entries on a subject, but for the last piece of them, which goes with the rows that they are about.
   *
   * @param upTo - the number of the last of them; all if left out.
   * @returns that last piece; `undefined` if something was changed meanwhile.
   */
  readonly allButLast: (subject: string, upTo?: number) => Promise<readonly Emptied[] | undefined>
}

/** The steps of an erasure on a keyring. */
export function erasingSteps<Scope extends string>(
  { store, clock, cache }: KeyringParts<Scope>,
  { actor, mayErase, empty, owner }: Erasing,
): ErasingSteps {
  const commit: ErasingSteps['commit'] = async (changes, idempotent) => {
    const made = await store.commit(changes, chain, { idempotent, authority: await mayErase() })
    if (made !== undefined) cache.committed(made)
    return made
  }
  const draft: ErasingSteps['draft'] = (subject, entries, more = {}) => {
    const change = JSON.stringify(entries.length === 0 ? {} : { emptied: emptyingOf(entries) })
    return { at: clock.now(), actor, action: 'erase', subject, change, ...more }
  }
  const ofOwner = (unfiled: readonly number[], searched?: number): Pick<EraseChange, 'owner'> => {
    return owner === undefined ? {} : { owner: { ...owner, unfiled, searched } }
  }
  const numbers = (entries: readonly Emptied[]): readonly number[] => entries.map(({ before }) => before.seq)
  const change: ErasingSteps['change'] = (
    entries,
    { subject = erased, key, unfiled = numbers(entries), rows = [] } = {},
  ) => {
    const withRows = rows.length === 0 ? {} : { change: JSON.stringify({ emptied: emptyingOf(entries), rows }) }
    const gone = key === undefined ? {} : { key: { id: key.id, revision: key.revision } }
    return { kind: 'erase', emptied: entries, ...gone, ...ofOwner(unfiled), draft: draft(subject, entries, withRows) }
  }
  return {
    commit,
    empty,
    draft,
    change,
    ownerChange: (entries, searched) => {
      const placed = ofOwner(numbers(entries), searched)
      const noted = entries.length === 0 ? {} : { emptied: emptyingOf(entries) }
      const words = JSON.stringify({ owner: true, ...noted })
      return { kind: 'erase', emptied: entries, ...placed, draft: draft(erased, entries, { change: words }) }
    },
    async forgetUse(of) {
      while ((await store.forgetUse(of, piece)) > 0) {
        await mayErase()
        await nextTurn()
      }
    },
    async allButLast(subject, upTo = Number.MAX_SAFE_INTEGER) {
      for (let after = 0; ;) {
        const read = await store.journal({ after, limit: piece + 1, subject, urgent: true })
        const entries = read.filter(({ seq }) => seq <= upTo)
        const some = entries.slice(0, piece)
        const going = some.filter((entry) => !isEmpty(entry)).map(empty)
        if (entries.length <= piece) return going
        after = some.at(-1)?.seq ?? after
        if (going.length > 0 && (await commit([change(going)])) === undefined) return undefined
        await nextTurn()
      }
    },
  }
}

/** Clears the files of a store of what was deleted. */
export async function clear(store: Pick<Store, 'scrub'>): Promise<boolean> {
  for (let count = 1; ; count++) {
    if (await store.scrub()) return true
    if (count === clearings) return false
    await sleep(pause)
  }
}
