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
  return readPage(markdown).links.flatMap(({ line, target }) => {
    if (/^(?:https?|mailto):/.test(target)) return []
    const place = `${path}, line ${line}: ${target}`
    const [file = '', anchor] = target.split('#').map(decodeURIComponent)
    const found = file === '' ? join(root, path) : resolve(root, dirname(path), file)
    if (relative(root, found).startsWith('..')) return [`${place} leads out of the repository`]
    if (file !== '' && !existsSync(found)) return [`${place} does not exist`]
    if (anchor === undefined) return []
    const page = readPage(file === '' ? markdown : readFileSync(found, 'utf8'))
    return page.headings.some((heading) => heading.anchor === anchor) ? [] : [`${place} has no such heading`]
  })
}
