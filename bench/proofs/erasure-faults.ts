import type { Proof } from './proof.ts'

/** What `erasure` must find. */
export const faults: Proof['faults'] = {
  'copies-kept': {
    is: 'what is deleted stays in the pages of the file until they are used again',
    edits: [
      {
        file: 'packages/latchkey/src/store/sqlite/database.ts',
        text: "database.exec('PRAGMA secure_delete = ON')",
        becomes: "database.exec('PRAGMA secure_delete = OFF')",
      },
      {
        file: 'packages/latchkey/src/store/sqlite/reader-thread.ts',
        text: "writer.exec('VACUUM')",
        becomes: '',
      },
    ],
    shownBy: ['traces'],
  },
  'log-kept': {
    is: 'the log is called cleared, and is not cut off',
    edits: [
      {
        file: 'packages/latchkey/src/store/sqlite/reader-thread.ts',
        text: 'if (!isScrubbed(writer) || !isRewritten) return false',
        becomes: 'if (isScrubbed === undefined) return false',
      },
    ],
    shownBy: ['traces', 'notCleared'],
  },
  'usage-comes-back': {
    is: 'usage that was counted before the erasure, and is written after it, is kept',
    edits: [
      {
        file: 'packages/latchkey/src/store/using.ts',
        text: 'const mayBeErased = (yield* row(sql.isAnythingErased)) !== undefined',
        becomes: 'const mayBeErased = false',
      },
    ],
    shownBy: ['traces'],
  },
}
