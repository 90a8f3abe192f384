import { styleText } from 'node:util'
import { iso } from '../input/when.ts'

/** Members that hold milliseconds since 1970 in what the library answers. */
const moments: ReadonlySet<string> = new Set([
  'createdAt',
  'notBefore',
  'expiresAt',
  'disabledAt',
  'lastUsedAt',
  'retiredAt',
  'endsAt',
  'oldEndsAt',
  'refillsAt',
  'since',
  'until',
  'hour',
])

/** A line for the person: on stderr, so that it never mixes with what a program reads. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** A line of the answer, on stdout. */
export function put(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** An answer for programs on stdout. */
export function putJson(value: unknown, more: readonly string[] = []): void {
  put(jsonText(value, more))
}

/**
 * An answer for programs: one JSON document on one line, moments as ISO 8601.
 *
 * @param more - names of further members of this answer that are moments.
 */
export function jsonText(value: unknown, more: readonly string[] = []): string {
  return JSON.stringify(value, (name, member: unknown) =>
    typeof member === 'number' && (moments.has(name) || more.includes(name)) ? iso(member) : member,
  )
}

/** Text from elsewhere as it may stand in a terminal: no control characters, and nothing that turns the direction of writing. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu, '�')
}

type Style = Parameters<typeof styleText>[0]

/** Styled where that stream is a terminal that wants colours (`NO_COLOR`, `FORCE_COLOR` and not a terminal are honoured). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream })
}

let secretUnderWay = false

/**
 * The one writing of a secret, or of the document that has it, alone on stdout. Answers when it has been handed over.
 *
 * @throws what the stream says: then nobody has the secret.
 */
export async function putSecret(text: string): Promise<void> {
  secretUnderWay = true
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()))
  })
  secretUnderWay = false
}

/** A reader that has seen enough, as `head` does, is no fault: the command ends without a word. */
export function endQuietlyWithoutReader(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (!secretUnderWay && code === 'EPIPE') process.exit()
  })
  process.stderr.on('error', () => undefined)
}
