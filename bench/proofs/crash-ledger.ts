import type { JournalHead } from 'latchkey'
import type { Message, Wanted } from './crash-writer.ts'

/** What is known of one keyring from the outside: from whole messages that arrived, and from earlier checks. */
export interface Ledger {
  /** Acknowledged, by the id of the key. */
  readonly issued: Map<string, { readonly secret: string; readonly wanted: Wanted }>
  /** Keys whose revocation was acknowledged, or seen by a check: either way it must last. */
  readonly revoked: Set<string>
  /** Keys whose revocation was begun: they may be revoked. */
  readonly revoking: Set<string>
  /** The end of the journal at the last check: what was there then must still be. */
  head: JournalHead | undefined
}

export function newLedger(): Ledger {
  return { issued: new Map(), revoked: new Set(), revoking: new Set(), head: undefined }
}

/** Notes what a message tells. */
export function note(ledger: Ledger, message: Message): void {
  if (message.is === 'issued') ledger.issued.set(message.id, message)
  if (message.is === 'revoking') ledger.revoking.add(message.id)
  if (message.is === 'revoked') ledger.revoked.add(message.id)
}
