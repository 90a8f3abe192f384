import type { ErrorCode } from 'latchkey'

/** The exit codes, and what they mean. `--help` and the guide print this table. */
export const exits = {
  ok: { code: 0, means: 'done; where the command asks a question, the answer is yes' },
  failed: {
    code: 1,
    means: 'refused or failed: a key not accepted, a journal not intact, a right missing, a file not writable',
  },
  usage: {
    code: 2,
    means: 'wrong command: an unknown flag, an invalid value, or a question left unanswered',
  },
  absent: { code: 3, means: 'not found: no such key, owner or refusal' },
  conflict: {
    code: 4,
    means: 'conflict: already revoked, being rotated, changed by someone else, or taken',
  },
  unavailable: { code: 69, means: 'unavailable: the server or the database cannot be reached, or cannot answer' },
  fault: { code: 70, means: 'a bug in latchkey: please report it' },
  settings: { code: 78, means: 'a setting is missing or wrong, or this Node.js is too old' },
  stopped: { code: 130, means: 'stopped with Ctrl-C' },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly means: string }>>

/** The name of an exit code. */
export type Exit = keyof typeof exits

/** What a failure may have besides its message. */
export interface FailureOptions extends ErrorOptions {
  /** Commands that help, ready to paste. */
  readonly commands?: readonly string[]
}

/** Ends the command, with a message for the person and an exit code. */
export class Failure extends Error {
  readonly exit: Exit

  constructor(exit: Exit, message: string, { commands = [], ...options }: FailureOptions = {}) {
    super([message, ...commands.map((command) => `  ${command}`)].join('\n'), options)
    this.name = 'Failure'
    this.exit = exit
  }
}

/** How a command ends after an error of the library, by its code. */
const exitsOfErrors: Readonly<Record<ErrorCode, Exit>> = {
  invalid_input: 'usage',
  unknown_scope: 'usage',
  unknown_key: 'absent',
  unknown_owner: 'absent',
  conflict: 'conflict',
  precondition_failed: 'conflict',
  idempotency_key_reused: 'conflict',
  still_running: 'conflict',
  beyond_delegation: 'failed',
  admin_key_refused: 'failed',
  weak_key: 'usage',
  store_unusable: 'unavailable',
  unavailable: 'unavailable',
  outcome_unknown: 'unavailable',
  unexpected_answer: 'unavailable',
  undeclared_route: 'fault',
  unguarded_handler: 'fault',
}

/** How a command ends after an error, and what it prints. */
export function endOf(error: unknown): { readonly exit: Exit; readonly message: string } {
  if (error instanceof Failure) return { exit: error.exit, message: error.message }
  const { name, code, message, syscall, path } = (error ?? {}) as NodeJS.ErrnoException
  if (name === 'SettingsError') return { exit: 'settings', message }
  if (name === 'LatchkeyError') {
    // A server may be newer than this command line, and use a code that this one does not know.
    return { exit: (exitsOfErrors as Readonly<Record<string, Exit | undefined>>)[code ?? ''] ?? 'failed', message }
  }
  if (code === 'ERR_SQLITE_ERROR') return { exit: 'unavailable', message: `The database cannot be used: ${message}.` }
  // An error of the operating system: its code, and the file.
  if (syscall !== undefined) return { exit: 'failed', message: `${path ?? syscall} cannot be used (${code}).` }
  return {
    exit: 'fault',
    message: `This is a bug in latchkey, please report it: ${error instanceof Error ? `${name}: ${message}` : String(error)}`,
  }
}
