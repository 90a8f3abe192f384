import type { JournalHead } from 'latchkey'
import type { Message, Wanted } from './crash-writer.ts'

/** The knowledge of one keyring from outside: from complete messages, and from earlier checks. */
export interface Ledger {
  /** The mark of an acknowledged change in the journal. */
  readonly marks: Set<string>
  /** Keys as they were asked for, by the mark of their issue. */
  readonly issued: Map<string, Wanted>
  /** Secrets that were reported, with the id of the key. */
  readonly secrets: Map<string, string>
  /** Keys whose revocation was acknowledged, or seen by a check: either way it must last. */
  readonly revoked: Set<string>
  /** The spending from the quota of a key: the acknowledged amount, and the largest possible one. */
  readonly spent: Map<string, { readonly acknowledged: number; readonly begun: number }>
  /** The end of the journal at the last check: everything before it must still be there. */
  head: JournalHead | undefined
}

export function newLedger(): Ledger {
  return {
    marks: new Set(),
    issued: new Map(),
    secrets: new Map(),
    revoked: new Set(),
    spent: new Map(),
    head: undefined,
  }
}

/** Adds a message to the ledger. */
export function note(ledger: Ledger, message: Message): void {
  if (message.is === 'done') {
    const { mark, secret, issued, revoked } = message
    // If two writers revoked a key, the journal has only one of them.
    if (revoked === undefined) ledger.marks.add(mark)
    else ledger.revoked.add(revoked)
    if (secret !== undefined) ledger.secrets.set(...secret)
    if (issued !== undefined) ledger.issued.set(mark, issued)
  }
  if (message.is === 'spending' || message.is === 'spent') {
    const { acknowledged, begun } = ledger.spent.get(message.id) ?? { acknowledged: 0, begun: 0 }
    const [now, then] = message.is === 'spent' ? [1, 0] : [0, 1]
    ledger.spent.set(message.id, { acknowledged: acknowledged + now, begun: begun + then })
  }
}
