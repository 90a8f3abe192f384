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
}

export const good = (what: string, found: string): Finding => ({ what, state: 'good', found })

export const note = (what: string, found: string, remedy: string): Finding => ({ what, state: 'note', found, remedy })

export const wrong = (what: string, found: string, remedy: string): Finding => ({ what, state: 'wrong', found, remedy })

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0] ?? ''
}
