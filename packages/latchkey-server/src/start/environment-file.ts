import { readFileSync, statSync } from 'node:fs'
import { parseEnv } from 'node:util'

/**
 * Reads a file of settings into `process.env`, if there is one. A variable that is set already keeps its value.
 *
 * @throws Error the system's error; also for a pipe, where reading could wait for ever, and for a file that is not in
 *   UTF-8.
 *
 * @example loadEnvironmentFile()
 */
export function loadEnvironmentFile(file = '.env'): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isFile()) throw new Error(`${file} is not a file.`)
  const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  if (text.includes('\0')) throw new Error(`${file} is not in UTF-8.`)
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) process.env[name] ??= value
  }
}
