import { Failure } from '../exit.ts'

/** Whether there is a terminal to ask in: the question goes to stderr, and the answer comes from the keyboard. */
function someoneIsThere(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/**
 * Asks for confirmation of something that cannot be undone.
 *
 * @throws Failure `usage` if there is no terminal, `failed` if the answer is no, `stopped` after Ctrl-C.
 */
export async function mustConfirm(question: string): Promise<void> {
  if (!someoneIsThere())
    throw new Failure('usage', 'This cannot be undone, and there is no terminal to ask in. To confirm, add --yes.')
  const { confirm } = await import('@clack/prompts')
  const answer = await confirm({ message: question, initialValue: false, output: process.stderr })
  if (answer !== true) throw new Failure(answer === false ? 'failed' : 'stopped', 'Nothing was changed.')
}

/** Asks for a secret and does not show it while it is typed; `undefined` if there is no terminal. */
export async function askForSecret(question: string): Promise<string | undefined> {
  if (!someoneIsThere()) return undefined
  const { password } = await import('@clack/prompts')
  const answer = await password({ message: question, output: process.stderr })
  if (typeof answer !== 'string') throw new Failure('stopped', 'Stopped.')
  return answer
}
