// The pages of the reference, as they are kept in docs/reference/api.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FormatOptions } from 'oxfmt'
import { format } from 'oxfmt'
import { readPage } from '../../test/markdown.ts'
import type { Target } from './links.ts'
import { linksFrom } from './links.ts'
import type { Page } from './model.ts'
import { homeOf } from './model.ts'
import type { Section } from './sections.ts'
import { sectionsOf } from './sections.ts'

const notice = '<!-- Made by `npm run reference` from the doc comments in the sources: change those. -->'

/** The text of every page by the name of its file, with `README.md`, which leads to the others. */
export async function renderPages(root: string, pages: readonly Page[]): Promise<ReadonlyMap<string, string>> {
  const options = JSON.parse(readFileSync(join(root, '.oxfmtrc.json'), 'utf8')) as FormatOptions
  const contents = pages.map((page) => ({
    page,
    sections: sectionsOf(page, (shown) => homeOf(pages, shown) === page),
  }))
  const names = new Map(contents.flatMap(({ page, sections }) => targetsOn(page.file, sections)))
  const errors = new Set(errorCodes(pages))
  const texts = new Map<string, string>()
  for (const { page, sections } of contents) {
    const links = linksFrom(page.file, { names, errors })
    const parts = sections.map((section) => `${headingOf(section)}\n\n${section.body(links)}`)
    texts.set(page.file, [notice, ...parts].join('\n\n'))
  }
  texts.set('README.md', [notice, indexOf(pages)].join('\n\n'))
  const formatted = new Map<string, string>()
  for (const [file, text] of texts) {
    const { code, errors: faults } = await format(file, text, options)
    if (faults.length > 0) throw new Error(`${file}: ${faults.map(({ message }) => message).join('; ')}`)
    formatted.set(file, code)
  }
  return formatted
}

function headingOf({ level, title }: Section): string {
  return `${'#'.repeat(level)} ${level === 2 ? title : `\`${title}\``}`
}

/** Where each section is, by the name that it is about. */
function targetsOn(file: string, sections: readonly Section[]): readonly [name: string, target: Target][] {
  const { headings } = readPage(sections.map(headingOf).join('\n\n'))
  return sections.flatMap(({ about }, index) => {
    const anchor = headings[index]?.anchor
    return about === undefined || anchor === undefined ? [] : [[about, { file, anchor }]]
  })
}

function errorCodes(pages: readonly Page[]): readonly string[] {
  const code = pages.flatMap(({ exports }) => exports).find(({ name }) => name === 'ErrorCode')?.code ?? ''
  return [...code.matchAll(/'(\w+)'/g)].map(([, one = '']) => one)
}

function indexOf(pages: readonly Page[]): string {
  const rows = pages.map(({ specifier, file, source, exports }) => {
    const [what = ''] = (source.comment?.text ?? '').split('\n\n')
    return `| [\`${specifier}\`](${file}) | ${what.replaceAll('\n', ' ')} | ${exports.length} |`
  })
  return [
    '# API reference',
    'What each path of the packages exports: parameters, errors, and an example that is compiled and run by the tests.',
    ['| import from | what it is for | exports |', '| --- | --- | --- |', ...rows].join('\n'),
    '`latchkey/package.json` and `latchkey-server/package.json` are the manifests, for tools that read them.',
  ].join('\n\n')
}
