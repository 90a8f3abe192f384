// Names that the words of the project have replaced. An identifier or a file with one of them has an old name, or one
// that does not say what it holds. docs/reference/words.md explains the words.

import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'

const root = dirname(import.meta.dirname)

/** Each old name, and what to write instead. Only whole identifiers count. */
const replaced: Readonly<Record<string, string>> = {
  Demand: 'Requirement',
  Call: 'CallContext',
  Standing: 'CachedKey',
  Kept: 'KeyRecord',
  Found: 'SecretMatch from a store, Finding in verify',
  Listed: 'KeyListItem',
  Look: 'ChangesSince',
  OnceDone: 'IdempotentResult',
  whole: 'intact for a report, integer for a number',
  anchor: 'checkpoint',
  seal: 'chain',
  tally: 'counter',
  farewell: 'drain',
  moment: 'timestamp',
  plain: 'printable, unhashed, or whatever it means there',
  told: 'what it holds',
  said: 'what it holds',
  given: 'what it holds',
  wanted: 'what it holds',
}

/** Files that may use one old name. */
const exempt: Readonly<Record<string, string>> = {
  // Notes and scripts of users still have the flag --anchor, and commander names the option after its flag.
  'packages/latchkey-server/src/cli/journal/verify.ts': 'anchor',
}

/** The old names of a file and in its code, each with its line and what to write instead. Comments and texts are free. */
export function oldNames(file: string, source: string): readonly string[] {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} is not TypeScript: ${errors[0]?.message}`)
  const used = [{ name: basename(file, '.ts'), start: 0 }, ...identifiersIn(program)]
  return used
    .filter(({ name }) => Object.hasOwn(replaced, name) && exempt[file] !== name)
    .map(({ name, start }) => `${file}:${source.slice(0, start).split('\n').length}: ${name}; write ${replaced[name]}`)
}

interface Identifier {
  readonly name: string
  readonly start: number
}

function identifiersIn(node: unknown): readonly Identifier[] {
  if (typeof node !== 'object' || node === null) return []
  const { type, name, start } = node as { readonly type?: unknown } & Partial<Identifier>
  const own = String(type).endsWith('Identifier') && name !== undefined && start !== undefined ? [{ name, start }] : []
  return [...own, ...Object.values(node).flatMap(identifiersIn)]
}

if (import.meta.main) {
  const files = globSync('{packages,examples}/*/src/**/*.ts', { cwd: root }).toSorted()
  const faults = files.flatMap((file) => oldNames(file, readFileSync(join(root, file), 'utf8')))
  for (const fault of faults) console.error(fault)
  process.exitCode = files.length > 0 && faults.length === 0 ? 0 : 1
}
