// What the tests read of a page in Markdown. The parser is `marked`; what it leaves open is that a table or a block of
// code can be malformed without an error, and `faults` names such places.

import { lexer } from 'marked'
import type { Token, Tokens } from 'marked'

export interface Heading {
  readonly level: number
  /** The title as it is shown, without marks. */
  readonly text: string
  /** What a link to it ends with, as GitHub makes it. */
  readonly anchor: string
}

export interface Table {
  /** The line of its first row. The first line of a page is 1. */
  readonly line: number
  readonly header: readonly string[]
  /** The cells of every row below the header, as they are written. */
  readonly rows: readonly (readonly string[])[]
}

export interface Block {
  readonly line: number
  /** The first word after the fence: `ts`, `sh`. */
  readonly language: string
  /** What is between the fences, with a newline at its end. */
  readonly code: string
}

export interface Page {
  readonly headings: readonly Heading[]
  readonly tables: readonly Table[]
  readonly blocks: readonly Block[]
  /** Where links and images lead, as it is written. */
  readonly links: readonly { readonly line: number; readonly target: string }[]
  /** What stands in backticks outside of blocks. */
  readonly names: readonly string[]
  /** What is malformed, as sentences that begin with the line. */
  readonly faults: readonly string[]
}

const lines = (text: string): readonly string[] => text.replace(/\n+$/, '').split('\n')

/** What is shown of a title: its text without marks. */
function shown(tokens: readonly Token[]): string {
  return tokens
    .map((token) => ('tokens' in token && token.tokens !== undefined ? shown(token.tokens) : textOf(token)))
    .join('')
}

const textOf = (token: Token): string => ('text' in token && typeof token.text === 'string' ? token.text : token.raw)

/** The anchor of a title on GitHub: lower case, without punctuation, spaces as hyphens. */
function anchorOf(title: string, seen: Map<string, number>): string {
  const anchor = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')
  const count = seen.get(anchor) ?? 0
  seen.set(anchor, count + 1)
  return count === 0 ? anchor : `${anchor}-${count}`
}

/** How many cells a row has: what is between bars, where a bar in a cell is written `\|`. */
const cellsIn = (row: string): number => row.replaceAll(String.raw`\|`, '').split('|').length - 2

/** What is wrong with a table, which a reader would be shown with cells missing or added. */
function tableFaults({ raw, header }: Tokens.Table, line: number): readonly string[] {
  const seen = new Set<string>()
  return lines(raw).flatMap((row, index) => {
    const text = row.trim()
    const place = `line ${line + index}`
    if (!text.startsWith('|') || !text.endsWith('|')) return [`${place}: a row that does not stand between bars`]
    if (cellsIn(text) !== header.length) {
      return [`${place}: a row of ${cellsIn(text)} cells in a table of ${header.length}`]
    }
    const twice = seen.has(text)
    seen.add(text)
    return twice ? [`${place}: a row that stands twice`] : []
  })
}

/** What is wrong with a block of code. */
function blockFaults({ raw, lang, codeBlockStyle }: Tokens.Code, line: number): readonly string[] {
  // What closes a fence is made of the same character and at least as long.
  const [opening = ''] = /^(?:`+|~+)/.exec(raw.trimStart()) ?? []
  const last = lines(raw).slice(1).at(-1)?.trim() ?? ''
  const closed = last.startsWith(opening) && last.replaceAll(opening[0] ?? '', '') === ''
  if (codeBlockStyle !== 'indented' && !closed) return [`line ${line}: a fence that is not closed`]
  return lang === undefined || lang === '' ? [`line ${line}: a block without a language`] : []
}

/** Rows that stand in running text. */
function textFaults(raw: string, line: number): readonly string[] {
  return lines(raw).flatMap((text, index) =>
    text.trimStart().startsWith('|') ? [`line ${line + index}: a row outside of a table`] : [],
  )
}

/** Reads a page. What is malformed is in `faults` and stops nothing. */
export function readPage(markdown: string): Page {
  const headings: Heading[] = []
  const tables: Table[] = []
  const blocks: Block[] = []
  const links: { line: number; target: string }[] = []
  const names: string[] = []
  const faults: string[] = []
  const anchors = new Map<string, number>()

  const visit = (token: Token, line: number): void => {
    switch (token.type) {
      case 'heading': {
        const { depth, tokens } = token as Tokens.Heading
        const title = shown(tokens)
        headings.push({ level: depth, text: title, anchor: anchorOf(title, anchors) })
        break
      }
      case 'table': {
        const { header, rows } = token as Tokens.Table
        const written = (cells: readonly Tokens.TableCell[]): readonly string[] => cells.map(({ text }) => text)
        tables.push({ line, header: written(header), rows: rows.map(written) })
        faults.push(...tableFaults(token as Tokens.Table, line))
        for (const { tokens } of [header, ...rows].flat()) visitAll(tokens, token.raw, line)
        break
      }
      case 'code': {
        const { lang = '', text } = token as Tokens.Code
        const [language = ''] = lang.split(/\s+/)
        blocks.push({ line, language, code: `${text}\n` })
        faults.push(...blockFaults(token as Tokens.Code, line))
        break
      }
      case 'link':
      case 'image':
        links.push({ line, target: (token as Tokens.Link | Tokens.Image).href })
        break
      case 'codespan':
        names.push((token as Tokens.Codespan).text)
        break
      case 'paragraph':
        faults.push(...textFaults(token.raw, line))
        break
      case 'list':
        visitAll((token as Tokens.List).items, token.raw, line)
        break
      case 'text':
        // The text of an item in a tight list, which has marks of its own.
        if ('tokens' in token) faults.push(...textFaults(token.raw, line))
        break
    }
    if ('tokens' in token && token.tokens !== undefined && token.type !== 'table') {
      visitAll(token.tokens, token.raw, line)
    }
  }

  /** Visits what stands in a text that begins at a line. */
  const visitAll = (tokens: readonly Token[], within: string, line: number): void => {
    let from = 0
    for (const token of tokens) {
      // What is quoted or indented stands there otherwise than in its token, but for its first line.
      const whole = within.indexOf(token.raw, from)
      const part = whole === -1 ? (lines(token.raw)[0] ?? '').trim() : token.raw
      const at = within.indexOf(part, from)
      visit(token, at === -1 ? line : line + (within.slice(0, at).match(/\n/g)?.length ?? 0))
      if (at !== -1) from = at + part.length
    }
  }

  const tokens = lexer(markdown)
  visitAll(tokens, tokens.map(({ raw }) => raw).join(''), 1)
  return { headings, tables, blocks, links, names, faults }
}

/** The parts of a page under the headings of one level, up to the next of the same level or above, by title as written. */
export function sectionsOf(markdown: string, level: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let current: string | undefined
  for (const token of lexer(markdown)) {
    if (token.type === 'heading' && (token as Tokens.Heading).depth <= level) {
      const { depth, text } = token as Tokens.Heading
      current = depth === level ? text : undefined
      if (current !== undefined && found.has(current)) throw new Error(`Two sections are called ${current}.`)
      if (current !== undefined) found.set(current, '')
    }
    if (current !== undefined) found.set(current, `${found.get(current)}${token.raw}`)
  }
  return found
}

/** The section of a title, or an error that names it. */
export function sectionOf(markdown: string, title: string, level = 2): string {
  const section = sectionsOf(markdown, level).get(title)
  if (section === undefined) throw new Error(`No section is called ${title}.`)
  return section
}
