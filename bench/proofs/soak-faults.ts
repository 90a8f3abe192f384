import type { Proof } from './proof.ts'

/** What `soak` must find. */
export const faults: Proof['faults'] = {
  'requests-kept': {
    is: 'the guard keeps every request that it has accepted, with a buffer for it',
    edits: [
      {
        file: 'packages/latchkey/src/guard/fastify.ts',
        text: '    ;(request as Guarded<Scope>)[keySlot] = verdict.key\n',
        becomes:
          '    ;(request as Guarded<Scope>)[keySlot] = verdict.key\n' +
          '    ;((globalThis as { kept?: unknown[] }).kept ??= []).push(request, Buffer.alloc(8192, 1))\n',
      },
    ],
    shownBy: ['growthPercent'],
  },
  'usage-at-once': {
    is: 'the usage of all keys is written seldom, in one walk without a turn of the event loop',
    edits: [
      {
        file: 'packages/latchkey/src/verify/usage.ts',
        text: 'const batchSize = ',
        becomes: 'const batchSize = 1000 * ',
      },
      {
        file: 'packages/latchkey/src/store/sqlite/working.ts',
        text: 'const longest = ',
        becomes: 'const longest = 1000 * ',
      },
      {
        file: 'packages/latchkey/src/keyring/open.ts',
        text: 'usageInterval = 10_000',
        becomes: 'usageInterval = 30_000',
      },
    ],
    shownBy: ['longestGapByProcessor'],
  },
}
