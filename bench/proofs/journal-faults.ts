import type { Proof } from './proof.ts'

const chain = 'packages/latchkey/src/journal/chain.ts'
const check = 'packages/latchkey/src/journal/verify-journal.ts'
const compared = 'packages/latchkey/src/journal/rows-compared.ts'

/** What `journal-tamper` must find. */
export const faults: Proof['faults'] = {
  'actor-not-hashed': {
    is: 'the hash of an entry does not cover its actor',
    edits: [
      {
        file: chain,
        text: 'JSON.stringify([seq, at, actor, action,',
        becomes: 'JSON.stringify([seq, at, action,',
      },
    ],
    shownBy: ['notFound'],
  },
  'chain-not-followed': {
    is: 'the check does not compare an entry with the hash of the entry before',
    edits: [
      {
        file: 'packages/latchkey/src/journal/chain-fault.ts',
        text: "return entry.previous === (before?.hash ?? genesis) ? undefined : 'unchained'",
        becomes: 'return undefined',
      },
    ],
    shownBy: ['notFound'],
  },
  'cut-not-seen': {
    is: 'a journal that ends before the newest change of a key is called intact',
    edits: [{ file: check, text: 'reached < newest || ', becomes: '' }],
    shownBy: ['notFound'],
  },
  'checkpoint-not-compared': {
    is: 'a checkpoint passes if there is an entry with its number, whatever its hash',
    edits: [{ file: check, text: ' && checkpoint.hash !== entry.hash', becomes: ' && entry.seq === 0' }],
    shownBy: ['notFound'],
  },
  'digest-not-compared': {
    is: 'a row passes if its revision is that of its last entry, whatever it contains',
    edits: [{ file: compared, text: 'expected !== of.state || ', becomes: '' }],
    shownBy: ['rowsNotFound'],
  },
  'added-passed-over': {
    is: 'a row without a journal entry is ignored',
    edits: [
      {
        file: compared,
        text: "return void faults.push({ subject, fault: 'added' })",
        becomes: 'return',
      },
    ],
    shownBy: ['rowsNotFound'],
  },
}
