// Which tests are quick enough to be run after every change.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { importsOf } from '../packages/latchkey/test/architecture.ts'

const root = dirname(import.meta.dirname)

/** What starts another program: a process, a browser. */
const startsAnother: ReadonlySet<string> = new Set(['node:child_process', 'playwright-core'])

/** The two sets that all test files are in, with paths from the root of the repository. */
export interface Sets {
  /** Tests of the library and of the server that start no other program. */
  readonly fast: readonly string[]
  /** All others: the command line, the browser, the example, the documents, the proofs. */
  readonly slow: readonly string[]
}

/**
 * Sorts all test files by what they import, themselves or by way of other files of tests.
 *
 * @param folder - the root of the repository, or of a copy.
 */
export function testSets(folder: string = root): Sets {
  const files = globSync(['{packages,examples}/*/test/**/*.test.ts', '{bench/,}test/**/*.test.ts'], {
    cwd: folder,
  }).toSorted()
  const isFast = (file: string): boolean =>
    file.startsWith('packages/') && ![...reachable(folder, file)].some((target) => startsAnother.has(target))
  return { fast: files.filter(isFast), slow: files.filter((file) => !isFast(file)) }
}

/** What a file of tests imports, and what is imported by those of these that are files of tests. */
function reachable(folder: string, file: string, seen: Set<string> = new Set()): ReadonlySet<string> {
  const path = join(folder, file)
  if (!/(?:^|\/)test\//.test(file) || !existsSync(path)) return seen
  for (const { target, typeOnly } of importsOf(file, readFileSync(path, 'utf8'))) {
    if (typeOnly || seen.has(target)) continue
    seen.add(target)
    reachable(folder, target, seen)
  }
  return seen
}
