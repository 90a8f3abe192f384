import type { Proof } from './proof.ts'

const chain = 'packages/latchkey/src/journal/chain.ts'
const check = 'packages/latchkey/src/journal/verify-journal.ts'
const compared = 'packages/latchkey/src/journal/rows-compared.ts'

/** What `journal-tamper` must find. */
export const faults: Proof['faults'] = {
  'actor-not-hashed': {
    is: 'the hash of an entry leaves out who did it',
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
    is: 'nobody looks whether an entry names the hash of the one before',
    edits: [{ file: check, text: 'if (entry.previous !== (head?.hash ?? genesis))', becomes: 'if (entry.seq === 0)' }],
    shownBy: ['notFound'],
  },
  'cut-not-seen': {
    is: 'a journal that ends before the newest change of a key is called intact',
    edits: [{ file: check, text: 'reached < newest || ', becomes: '' }],
    shownBy: ['notFound'],
  },
  'checkpoint-not-compared': {
    is: 'a checkpoint counts as met when there is an entry of its number',
    edits: [{ file: check, text: ' && checkpoint.hash !== entry.hash', becomes: ' && entry.seq === 0' }],
    shownBy: ['notFound'],
  },
  'digest-not-compared': {
    is: 'a row counts as what the journal says when its revision is that of its last entry',
    edits: [{ file: compared, text: 'told !== of.state || ', becomes: '' }],
    shownBy: ['rowsNotFound'],
  },
  'added-passed-over': {
    is: 'a row that no entry tells of is passed over',
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
