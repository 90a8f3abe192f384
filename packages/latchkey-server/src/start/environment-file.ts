import { readFileSync, statSync } from 'node:fs'
import { parseEnv } from 'node:util'

/**
 * Puts what stands in a file into `process.env`, if there is such a file. The real environment wins.
 *
 * @throws Error what the system says, or that the file cannot be read as one: a pipe would be waited for without end, and
 *   another coding than UTF-8 would be another text. A byte order mark is not part of the first name.
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
