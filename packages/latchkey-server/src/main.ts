#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { exitOf, exits, Failure } from './cli/exit.ts'
import { refuseSecrets } from './cli/input/secrets.ts'
import { explained } from './cli/nearest.ts'
import { buildProgram } from './cli/program.ts'
import { endQuietlyWithoutReader, plain, say } from './cli/terminal/print.ts'
import { loadEnvironmentFile } from './config.ts'

endQuietlyWithoutReader()
try {
  await main(process.argv.slice(2))
} catch (error) {
  process.exitCode = report(error)
}

async function main(values: readonly string[]): Promise<void> {
  refuseSecrets(values)
  try {
    loadEnvironmentFile()
  } catch (error) {
    throw new Failure('settings', '.env must be a file that can be read.', { cause: error })
  }
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { readonly version: string }
  const program = buildProgram(version)
  try {
    await program.parseAsync(values, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version were asked for and have been shown.
    if (error.exitCode === 0) return
    throw new Failure('usage', explained(program, values, error), { cause: error })
  }
}

/** Says what went wrong, in words and not in stack traces, and answers the exit code. */
function report(error: unknown): number {
  const exit = exitOf(error)
  const message = error instanceof Error ? error.message : String(error)
  for (const line of message.split('\n')) say(plain(line))
  return exits[exit].code
}
