import { styleText } from 'node:util'
import { Failure } from '../exit.ts'
import { wrapped } from './width.ts'

/** A message for the user, on stderr: it never mixes with the output that a program reads. */
export function say(text: string): void {
  process.stderr.write(`${fitted(text, process.stderr)}\n`)
}

/** An answer in sentences, on stdout. */
export function putText(text: string): void {
  put(fitted(text, process.stdout))
}

/**
 * Wraps a text for its terminal; elsewhere the text stays as it is. A command or a value on a line of its own is not
 * wrapped: users copy it.
 */
function fitted(text: string, stream: NodeJS.WriteStream): string {
  if (!stream.isTTY) return text
  return text
    .split('\n')
    .flatMap((line) => (/^ |^\S+$/.test(line) ? [line] : wrapped(line, roomIn(stream))))
    .join('\n')
}

/** The width of a terminal; the usual width if it does not tell. */
export function roomIn({ columns }: NodeJS.WriteStream): number {
  return columns || 80
}

/** A line of the answer, on stdout. */
export function put(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Makes a foreign text safe for a terminal: no control characters, and nothing that turns the direction of writing. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu, '�')
}

type Style = Parameters<typeof styleText>[0]

/** Styles a text if the stream is a terminal with colours; obeys `NO_COLOR` and `FORCE_COLOR`. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream })
}

/** What happens if the answer cannot be written: the command ends, or the writing code gets the error, or it goes on. */
let withoutReader: 'end' | 'tell' | 'go on' = 'end'

/**
 * Writes a secret, or the document that holds it, alone to stdout. Returns when it is handed over.
 *
 * @throws the error of the stream: then nobody has the secret.
 */
export async function putSecret(text: string): Promise<void> {
  withoutReader = 'tell'
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()))
  })
  withoutReader = 'end'
}

/** From now on stdout has the log of a server, which goes on even if its log cannot be written. */
export function serveWithoutReader(): void {
  withoutReader = 'go on'
}

/**
 * Watches whether answers can be written. If the reader has seen enough, as `head` has, the command ends without a word.
 * Any other error is a fault, because the answer is then incomplete.
 */
export function watchOutput(fail: (error: Error) => void): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (withoutReader !== 'end') return
    if (code === 'EPIPE') process.exit()
    fail(new Failure('failed', `The answer could not be written (${code}).`))
  })
  process.stderr.on('error', () => undefined)
}
