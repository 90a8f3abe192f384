import type { Proof } from './proof.ts'

const scripts = 'packages/latchkey/src/limiter/redis/scripts.ts'

/** What `window` must find. */
export const faults: Proof['faults'] = {
  'by-the-first-call': {
    is: 'a slice leaves a window after its first call, and not a window after its last',
    edits: [{ file: scripts, text: '        slices[size - 1] = now\n', becomes: '' }],
    shownBy: ['above'],
  },
  'too-short': {
    is: 'a window is a hundredth too short',
    edits: [
      {
        file: scripts,
        text: 'slices[first + 1] + window <= now do',
        becomes: 'slices[first + 1] + window * 0.99 <= now do',
      },
    ],
    shownBy: ['above'],
  },
  'first-window-only': {
    is: 'only the first window of a call can refuse it',
    edits: [{ file: scripts, text: `~= '1' then admitted = 0`, becomes: `~= '1' and i == 1 then admitted = 0` }],
    shownBy: ['above'],
  },
  'keys-of-its-own': {
    is: 'each instance has keys of its own',
    edits: [
      {
        file: 'packages/latchkey/src/limiter/redis/keys.ts',
        text: 'keys: windows.map(({ group, bucket }) => `${prefix}:{',
        becomes: 'keys: windows.map(({ group, bucket }) => `${prefix}${process.pid}:{',
      },
    ],
    shownBy: ['above', 'surelyAbove'],
  },
  'expires-early': {
    is: 'the counts expire before their window has passed',
    edits: [
      {
        file: scripts,
        text: 'math.ceil((window + now - real) / 1000) + 1)',
        becomes: 'math.ceil((window + now - real) / 2000) + 1)',
      },
    ],
    shownBy: ['above'],
  },
}
