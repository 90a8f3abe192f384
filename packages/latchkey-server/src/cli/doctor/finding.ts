/** What a look at one thing has found. */
export interface Finding {
  /** What was looked at. */
  readonly what: string
  /** `fail` keeps something from working or being safe; `warn` is worth knowing. */
  readonly state: 'ok' | 'warn' | 'fail'
  /** What was found, in one line. */
  readonly found: string
  /** What to do about it. */
  readonly remedy?: string
  /** What does it, in lines for a shell, one after the other. */
  readonly commands?: readonly string[]
}

/** What is found where something is not as it should be. */
interface Trouble {
  readonly what: string
  readonly found: string
  readonly remedy: string
  readonly commands?: readonly string[]
}

export const ok = (what: string, found: string): Finding => ({ what, state: 'ok', found })

export const warn = ({ what, ...trouble }: Trouble): Finding => ({ what, state: 'warn', ...trouble })

export const fail = ({ what, ...trouble }: Trouble): Finding => ({ what, state: 'fail', ...trouble })

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0] ?? ''
}
