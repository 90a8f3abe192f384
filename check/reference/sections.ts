// The content of the page of a path: headings, and under each of them the text of the doc comments.

import type { Kind, Method, Shown } from './declaration.ts'
import { typesIn } from './declaration.ts'
import type { DocComment } from './doc-comment.ts'
import type { Links } from './links.ts'
import type { Page } from './model.ts'

/** A heading and its content. */
export interface Section {
  readonly level: number
  /** As it is shown, without marks. */
  readonly title: string
  /** Its subject: a link to that leads here. */
  readonly about: string | undefined
  readonly body: (links: Links) => string
}

const groups: readonly { readonly title: string; readonly kinds: readonly Kind[] }[] = [
  { title: 'Functions', kinds: ['function'] },
  { title: 'Constants', kinds: ['constant'] },
  { title: 'Types', kinds: ['class', 'interface', 'type'] },
]

/** @param isHome - whether an export is described here, or on another page that has it too. */
export function sectionsOf({ specifier, source, exports }: Page, isHome: (one: Shown) => boolean): readonly Section[] {
  const first: Section = {
    level: 1,
    title: specifier,
    about: undefined,
    body: (links) => links.inText(source.comment?.text ?? ''),
  }
  const rest = groups.flatMap(({ title, kinds }) => {
    const ours = exports.filter(({ kind }) => kinds.includes(kind)).toSorted(byName)
    if (ours.length === 0) return []
    const overview: Section = { level: 2, title, about: undefined, body: (links) => tableOf(ours, links) }
    return [overview, ...ours.filter(isHome).flatMap(sectionsOfExport)]
  })
  return [first, ...rest]
}

function sectionsOfExport(shown: Shown): readonly Section[] {
  const { name, comment, code, methods } = shown
  const own: Section = {
    level: 3,
    title: name,
    about: name,
    body(links) {
      const table = methods.map((method) => ({ name: `${name}.${method.name}`, comment: method.comment }))
      return [
        fenced(code),
        said(comment, links),
        ...(methods.length === 0 ? [] : [tableOf(table, links)]),
        mentions(code, name, links),
      ].join('\n\n')
    },
  }
  return [own, ...methods.map((method) => sectionOfMethod(name, method))]
}

function sectionOfMethod(owner: string, { name, code, comment, more }: Method): Section {
  return {
    level: 4,
    title: `${owner}.${name}`,
    about: `${owner}.${name}`,
    body(links) {
      const overloads = more.map((one) => said(one, links))
      return [fenced(code), said(comment, links), ...overloads, mentions(code, owner, links)].join('\n\n')
    },
  }
}

/** All that a doc comment says. */
function said(comment: DocComment | undefined, links: Links): string {
  if (comment === undefined) return ''
  const { text, parameters, returns, throws, examples } = comment
  return [
    links.inText(text),
    parameters.map((one) => `- \`${one.name}\`: ${links.inText(indented(one.text))}`).join('\n'),
    returns === undefined ? '' : `Returns ${links.inText(returns)}`,
    ...throws.map((one) => `**Throws** ${links.inText(one.replace(/^\w*Error\b/, '`$&`'))}`),
    ...examples.map(fenced),
  ].join('\n\n')
}

function indented(text: string): string {
  return text.replaceAll(/\n */g, '\n  ')
}

function fenced(code: string): string {
  return `\`\`\`ts\n${code}\n\`\`\``
}

function tableOf(rows: readonly Pick<Shown, 'name' | 'comment'>[], links: Links): string {
  const lines = rows.map(({ name, comment }) => {
    const what = links.inText(firstSentence(comment?.text ?? '')).replaceAll('|', String.raw`\|`)
    return `| ${links.to(name)} | ${what} |`
  })
  return ['| name | what it is |', '| --- | --- |', ...lines].join('\n')
}

/** Up to the first full stop that ends a sentence. */
function firstSentence(text: string): string {
  const [paragraph = ''] = text.split('\n\n')
  const line = paragraph.replaceAll(/\s+/g, ' ')
  return /^.*?[^.]\.(?= [A-Z`]|$)/.exec(line)?.[0] ?? line
}

/** The exported types that a declaration names. */
function mentions(code: string, self: string, links: Links): string {
  const others = typesIn(code).filter((name) => name !== self)
  const linked = others.filter((name) => links.has(name)).map((name) => links.to(name))
  return linked.length === 0 ? '' : `See ${linked.join(', ')}.`
}

function byName({ name: one }: Shown, { name: other }: Shown): number {
  return one.toLowerCase() < other.toLowerCase() ? -1 : 1
}
