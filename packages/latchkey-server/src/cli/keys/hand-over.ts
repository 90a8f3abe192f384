import type { KeyDetails } from 'latchkey'
import { advised } from '../advice.ts'
import { Failure } from '../exit.ts'
import { jsonText, putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { printable, putSecret, say } from '../terminal/print.ts'

/** A new secret, and what to print about it. */
export interface HandOver {
  readonly key: Pick<KeyDetails, 'id'>
  /** `null` if the same command was given before: its secret is not shown again. */
  readonly secret: string | null
  /** The message, one sentence a line. */
  readonly message: string
  /** The whole answer, for programs. */
  readonly answer: object
  /** The options of the command. */
  readonly options: TargetOptions
}

/** The command that replaces a secret that nobody has. */
export function replacing(id: string, options: TargetOptions): string {
  return advised(`keys rotate ${id} --replace`, options)
}

/**
 * Prints a secret alone on stdout, so that `KEY=$(latchkey keys issue …)` holds only the key. If it cannot be written,
 * nobody has it, and the command says so.
 *
 * @throws Failure `failed`.
 */
export async function handOver({ key, secret, message, answer, options }: HandOver): Promise<void> {
  const { json } = options
  if (secret === null) {
    if (json === true) return putJson(answer)
    return say(
      printable(
        `${key.id}: done before with the same idempotency key. Its secret was shown then, and is not shown again.`,
      ),
    )
  }
  if (json !== true) {
    for (const line of message.split('\n')) say(printable(line))
    say('The new secret is shown only now:')
  }
  try {
    await putSecret(json === true ? jsonText(answer) : secret)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failure(
      'failed',
      `${message}\nBut its secret could not be written (${code}), so nobody has it. To replace it:`,
      { commands: [replacing(key.id, options)] },
    )
  }
}
