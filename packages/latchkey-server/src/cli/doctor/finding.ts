/** The result of one check. */
export interface Finding {
  /** What was checked. */
  readonly what: string
  /** `fail`: something does not work or is not safe; `warn`: worth knowing. */
  readonly state: 'ok' | 'warn' | 'fail'
  /** The result in one line. */
  readonly found: string
  /** What to do about it. */
  readonly remedy?: string
  /** The commands that do it, in order. */
  readonly commands?: readonly string[]
}

/** A finding that asks for a remedy. */
interface Trouble {
  readonly what: string
  readonly found: string
  readonly remedy: string
  readonly commands?: readonly string[]
}

export const ok = (what: string, found: string): Finding => ({ what, state: 'ok', found })

export const warn = ({ what, ...trouble }: Trouble): Finding => ({ what, state: 'warn', ...trouble })

export const fail = ({ what, ...trouble }: Trouble): Finding => ({ what, state: 'fail', ...trouble })

/** The first line of the message of an error. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0] ?? ''
}
