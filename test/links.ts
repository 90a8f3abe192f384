// Where the links of a page lead.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { readPage } from './markdown.ts'

/** The links of a page that lead nowhere, as sentences. `path` is the page's, from the root of the repository. */
export function brokenLinks({
  root,
  path,
  markdown,
}: {
  readonly root: string
  readonly path: string
  readonly markdown: string
}): readonly string[] {
  // Each page is read once, however many links lead to it.
  const anchors = new Map<string, ReadonlySet<string>>()
  const anchorsOf = (file: string, text: () => string): ReadonlySet<string> => {
    const known = anchors.get(file) ?? new Set(readPage(text()).headings.map((heading) => heading.anchor))
    anchors.set(file, known)
    return known
  }
  return readPage(markdown).links.flatMap(({ line, target }) => {
    if (/^(?:https?|mailto):/.test(target)) return []
    const place = `${path}, line ${line}: ${target}`
    const [file = '', anchor] = target.split('#').map(decodeURIComponent)
    const found = file === '' ? join(root, path) : resolve(root, dirname(path), file)
    if (relative(root, found).startsWith('..')) return [`${place} leads out of the repository`]
    if (file !== '' && !existsSync(found)) return [`${place} does not exist`]
    if (anchor === undefined) return []
    const text = (): string => (file === '' ? markdown : readFileSync(found, 'utf8'))
    return anchorsOf(found, text).has(anchor) ? [] : [`${place} has no such heading`]
  })
}
