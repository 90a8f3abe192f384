import type { JournalHead } from 'latchkey'
import type { Message, Wanted } from './crash-writer.ts'

/** What is known of one keyring from the outside: from whole messages that arrived, and from earlier checks. */
export interface Ledger {
  /** What an acknowledged change is known by in the journal. */
  readonly marks: Set<string>
  /** Keys as they were asked for, by the mark of their issue. */
  readonly issued: Map<string, Wanted>
  /** Secrets of which somebody was told, with the id of the key. */
  readonly secrets: Map<string, string>
  /** Keys whose revocation was acknowledged, or seen by a check: either way it must last. */
  readonly revoked: Set<string>
  /** What was spent from the quota of a key: as far as that was acknowledged, and at most. */
  readonly spent: Map<string, { readonly acknowledged: number; readonly begun: number }>
  /** The end of the journal at the last check: what was there then must still be. */
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

/** Notes what a message tells. */
export function note(ledger: Ledger, message: Message): void {
  if (message.is === 'done') {
    const { mark, secret, issued, revoked } = message
    // Of two who revoked a key, only one is in the journal.
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
