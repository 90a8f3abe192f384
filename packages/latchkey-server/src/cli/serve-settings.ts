import { parseArgs } from 'node:util'
import type { Settings } from '../config.ts'
import { readSettings, settingsTable } from '../config.ts'
import { isOfThisMachine } from '../start.ts'
import { Failure } from './exit.ts'

/**
 * Checks the settings of `serve` before the commands and their modules are loaded, so that a wrong setting is reported
 * quickly. The command itself reports what is not understood here.
 *
 * @param values - the arguments after `serve`.
 * @throws SettingsError; Failure `settings` for an address of another machine.
 */
export async function checkServeSettings(values: readonly string[]): Promise<void> {
  const flags = flagsIn(values)
  if (flags === undefined) return
  const { host } = readSettings({ flags, environment: process.env })
  if (!(await isOfThisMachine(host))) throw hostFailure(flags)
}

/** The failure for an address of another machine, with the name that the person has used. */
export function hostFailure({ host }: { readonly host?: string | undefined }): Failure {
  const name = host === undefined ? settingsTable.host.variable : '--host'
  return new Failure('settings', `${name} must be an address or a name of this machine, such as 127.0.0.1 or ::.`)
}

/** The settings in the flags; `undefined` if the arguments have anything else. */
function flagsIn(values: readonly string[]): { readonly [Name in keyof Settings]?: string } | undefined {
  const names = Object.entries(settingsTable).map(([name, { flag }]) => [name, flag.replace(/^--| .*$/g, '')] as const)
  const options = Object.fromEntries(names.map(([, flag]) => [flag, { type: 'string' as const }]))
  try {
    const flags = parseArgs({ args: [...values], options }).values as Readonly<Record<string, string | undefined>>
    const known = names.flatMap(([name, flag]) => (flags[flag] === undefined ? [] : [[name, flags[flag]]]))
    return Object.fromEntries(known) as { readonly [Name in keyof Settings]?: string }
  } catch {
    return undefined
  }
}
