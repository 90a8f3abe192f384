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

/** A run of Node's test runner. */
interface Run {
  readonly options: readonly string[]
  readonly files: readonly string[]
}

const { fast, slow } = testSets()

/** One process for all files of the fast set: to load the program is most of what such a file costs. */
const together = ['--test-isolation=none']

/**
 * A little less than the fast set covers. The command line is left out, because its tests run it in other processes.
 */
const floor = [
  '--experimental-test-coverage',
  '--test-coverage-include=packages/*/src/**/*.ts',
  '--test-coverage-exclude=packages/latchkey-server/src/cli/**',
  '--test-coverage-lines=97',
  '--test-coverage-branches=94',
  '--test-coverage-functions=96',
]

const slowOnes: Run = { options: ['--test-concurrency=2'], files: slow }

/** What can be run by its name: see `check/test.ts`. */
export const runs: Readonly<Record<string, readonly Run[]>> = {
  fast: [{ options: [...together, '--test-reporter=dot'], files: fast }],
  // A file that has changed is run alone.
  watch: [{ options: ['--watch'], files: fast }],
  coverage: [{ options: [...together, ...floor], files: fast }],
  all: [{ options: [...together, ...floor], files: fast }, slowOnes],
  // No file leans on what another has left in the process.
  apart: [{ options: [], files: fast }, slowOnes],
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
