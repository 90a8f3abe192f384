import { CommanderError } from 'commander'
import { loadEnvironmentFile } from '../start.ts'
import { manifest } from '../manifest.ts'
import { endOf, exits, Failure } from './exit.ts'
import { refuseSecrets } from './input/secrets.ts'
import { explained, wordsForHelp } from './nearest.ts'
import { checkServeSettings } from './serve-settings.ts'
import { printable, say, watchOutput } from './terminal/print.ts'

/** Runs one command to its end and sets `process.exitCode`. */
export async function run(values: readonly string[]): Promise<void> {
  watchOutput((error) => process.exit(report(error)))
  // An error that nothing awaits ends the command in the same way.
  process.on('uncaughtException', (error) => process.exit(report(error)))
  try {
    await main(values)
  } catch (error) {
    process.exitCode = report(error)
  }
}

async function main(values: readonly string[]): Promise<void> {
  refuseSecrets(values)
  try {
    loadEnvironmentFile()
  } catch (error) {
    throw new Failure('settings', '.env must be a readable file in UTF-8.', { cause: error })
  }
  if (values[0] === 'serve') await checkServeSettings(values.slice(1))
  const { buildProgram } = await import('./program.ts')
  const program = buildProgram(manifest.version)
  const words = wordsForHelp(program, values)
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // The help or the version was asked for, and is printed.
    if (error.exitCode === 0) return
    throw new Failure('usage', explained(program, words, error), { cause: error })
  }
}

/** Prints what went wrong, without a stack trace, and returns the exit code. */
function report(error: unknown): number {
  const { exit, message } = endOf(error)
  for (const line of message.split('\n')) say(printable(line))
  return exits[exit].code
}
