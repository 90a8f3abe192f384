// The exports of the packages: a page for each path that can be imported.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Shown } from './declaration.ts'
import { shownOf } from './declaration.ts'
import type { Source } from './source.ts'
import { exportsOf, sourceReader } from './source.ts'

/** The exports of one path. */
export interface Page {
  /** As it is imported: `latchkey/client`. */
  readonly specifier: string
  /** The file of the page: `latchkey-client.md`. */
  readonly file: string
  readonly source: Source
  readonly exports: readonly Shown[]
}

const packages = ['latchkey', 'latchkey-server']

/** @param root - the root of the repository. */
export function readPages(root: string): readonly Page[] {
  const read = sourceReader(root)
  return packages.flatMap((name) => {
    const folder = `packages/${name}`
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, string | { readonly '@latchkey/source': string }>>
    }
    return Object.entries(manifest.exports).flatMap(([path, target]) => {
      if (typeof target === 'string') return []
      const file = join(folder, target['@latchkey/source'])
      const specifier = `${name}${path.slice(1)}`
      const exports = exportsOf(file, read).map(shownOf)
      return { specifier, file: `${specifier.replaceAll('/', '-')}.md`, source: read(file), exports }
    })
  })
}

/** The page that describes an export: of several that have it, the one that is most about it. */
export function homeOf(pages: readonly Page[], { name, source }: Shown): Page | undefined {
  const having = pages.filter(({ exports }) => exports.some((one) => one.name === name && one.source === source))
  return having.toSorted((one, other) => other.specifier.length - one.specifier.length)[0]
}
