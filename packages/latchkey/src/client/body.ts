import { invalid } from '../options.ts'

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** A page of a thousand keys with all their metadata has some 25 MB; a larger answer does not come from Latchkey. */
const longestAnswer = 64 * 1024 * 1024

/**
 * A body as JSON. A value that JSON cannot express is refused: JSON would write it as `null`, and `null` clears, so an
 * end that was computed wrongly would become "never".
 */
export function textOf(body: object): string {
  return JSON.stringify(body, (name, value: unknown) => {
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) {
      throw invalid(name, 'a finite number')
    }
    return value
  })
}

/** The text of a body, or `undefined` if it is larger than any answer of Latchkey. */
export async function readAll(answer: Response): Promise<string | undefined> {
  if (answer.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length
    // Leaving the loop cancels the body.
    if (length > longestAnswer) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** The JSON object that a text is; `undefined` if it is anything else. */
export function jsonObjectOf(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
