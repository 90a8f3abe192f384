/** What a look at one thing has found. */
export interface Finding {
  /** What was looked at. */
  readonly what: string
  /** `wrong` is what keeps something from working or being safe; `note` is worth knowing. */
  readonly state: 'good' | 'note' | 'wrong'
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

export const good = (what: string, found: string): Finding => ({ what, state: 'good', found })

export const note = ({ what, ...trouble }: Trouble): Finding => ({ what, state: 'note', ...trouble })

export const wrong = ({ what, ...trouble }: Trouble): Finding => ({ what, state: 'wrong', ...trouble })

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0] ?? ''
}
