import type { Entry, JournalOptions, JournalPage } from '../packages/latchkey/src/index.ts'

/** The first entries of the journal, in the order in which they were written; a thousand, unless it is asked otherwise. */
export async function entriesOf(
  { journal }: { readonly journal: (options: JournalOptions) => Promise<JournalPage> },
  options: JournalOptions = {},
): Promise<readonly Entry[]> {
  return (await journal({ order: 'oldest', limit: 1000, ...options })).entries
}
