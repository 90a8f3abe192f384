import type { Proof } from './proof.ts'

const share = 'packages/latchkey/src/limiter/redis/share.ts'
const link = 'packages/latchkey/src/limiter/redis/link.ts'

/** What `outage` must find. */
export const faults: Proof['faults'] = {
  'whole-limit-each': {
    is: 'each instance admits the whole limit while Redis is away, and not its share',
    edits: [{ file: share, text: 'Math.floor(window.limit / (count ?? 1))', becomes: 'window.limit' }],
    shownBy: ['aboveMeanwhile'],
  },
  'refuses-nothing': {
    is: 'a limit that should refuse meanwhile admits its share',
    edits: [{ file: share, text: `window.whenUnavailable === 'refuse' || `, becomes: '' }],
    shownBy: ['admittedInsteadOfRefused'],
  },
  'waits-for-ever': {
    is: 'a Redis that is silent is not given up',
    edits: [
      {
        file: link,
        text: `silent: () => lose(connection, 'Redis does not answer.'),`,
        becomes: 'silent() {},',
      },
    ],
    shownBy: ['unanswered'],
  },
  'never-back': {
    is: 'a link that was given up is not restored',
    edits: [{ file: link, text: 'if (await connect()) changed()', becomes: 'if (isClosed) changed()' }],
    shownBy: ['notBack'],
  },
}
