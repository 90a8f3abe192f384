import { secretPattern } from 'latchkey'
import { secretSetting } from '../../start.ts'
import { Failure } from '../exit.ts'

/**
 * Refuses arguments that contain a secret: arguments are in the shell's history and in the list of processes, which every
 * user of the machine can read.
 *
 * @throws Failure `usage`; the message does not repeat it.
 */
export function refuseSecrets(values: readonly string[]): void {
  if (!values.some((value) => secretPattern.test(value))) return
  throw new Failure(
    'usage',
    'An argument looks like a secret. It is now in the history of your shell, and every user of this machine could see it.\n' +
      'Rotate its key: keys list --text finds it by the first 12 characters.\n' +
      'Give secrets on standard input, or in LATCHKEY_CREDENTIAL or LATCHKEY_ADMIN_KEY (or in a file: the same names with _FILE).',
  )
}

/** The most characters to read of a secret; no credential is longer. */
const longest = 4096

/**
 * The first line of standard input.
 *
 * @throws Failure `usage` if it is empty.
 */
export async function secretFromInput(input: NodeJS.ReadStream): Promise<string> {
  let text = ''
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk as string
    if (text.includes('\n') || text.length > longest) break
  }
  const [line = ''] = text.split(/\r?\n/, 1)
  if (line === '')
    throw new Failure('usage', 'Standard input has no secret. Send it there, or set LATCHKEY_CREDENTIAL.')
  return line
}

/**
 * The secret in a variable, or in the file that the variable with `_FILE` names. The variable is removed from the
 * environment, so that no child process and no crash report has it.
 *
 * @throws Failure `settings` for a file that cannot be read, and if both are set.
 */
export function secretFromEnvironment(name: string): string | undefined {
  try {
    return secretSetting(name, process.env)
  } catch (error) {
    throw new Failure('settings', (error as Error).message, { cause: error })
  } finally {
    delete process.env[name]
  }
}
