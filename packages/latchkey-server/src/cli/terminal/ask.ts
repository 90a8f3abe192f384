import { Failure } from '../exit.ts'

/** Whether there is a person to ask: the question goes to stderr, the answer comes from the keyboard. */
function someoneIsThere(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/**
 * Asks before something that cannot be undone.
 *
 * @throws Failure `usage` where there is nobody to ask, `failed` when the answer is no, `stopped` when it is Ctrl-C.
 */
export async function mustConfirm(question: string): Promise<void> {
  if (!someoneIsThere())
    throw new Failure('usage', 'This cannot be undone, and there is no terminal to ask in. To confirm, add --yes.')
  const { confirm } = await import('@clack/prompts')
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr })
  if (answer !== true) throw new Failure(answer === false ? 'failed' : 'stopped', 'Nothing was changed.')
}

/** Asks for a secret that does not appear while it is typed; `undefined` where there is nobody to ask. */
export async function askForSecret(question: string): Promise<string | undefined> {
  if (!someoneIsThere()) return undefined
  const { password } = await import('@clack/prompts')
  const answer = await password({ message: question, output: process.stderr })
  if (typeof answer !== 'string') throw new Failure('stopped', 'Stopped.')
  return answer
}
