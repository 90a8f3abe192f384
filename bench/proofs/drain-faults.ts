import type { Proof } from './proof.ts'

/** What `drain` must find. */
export const faults: Proof['faults'] = {
  'no-drain': {
    is: 'callers that keep their connection do not learn that it ends',
    edits: [
      {
        file: 'packages/latchkey/src/connection/drain.ts',
        text: 'if (connections.size === 0) return\n',
        becomes: 'return\n',
      },
    ],
    shownBy: ['dropped'],
  },
  'ends-at-once': {
    is: 'the server ends at once when it is told to stop, and drops what is in flight',
    edits: [
      {
        file: 'packages/latchkey-server/src/cli/serve.ts',
        text: 'closeOnSignals({ close,',
        becomes: 'closeOnSignals({ close: () => process.exit(),',
      },
    ],
    shownBy: ['dropped', 'usageLost'],
  },
  'usage-forgotten': {
    is: 'the usage since the last write is not written at the end',
    edits: [
      {
        file: 'packages/latchkey-server/src/compose.ts',
        text: "app.addHook('onClose', () => keyring.close())",
        becomes: '',
      },
    ],
    shownBy: ['usageLost'],
  },
}
