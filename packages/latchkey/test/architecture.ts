import assert from 'node:assert/strict'
import { posix } from 'node:path'
import type { Token, Tokens } from 'marked'
import { lexer } from 'marked'
import { sectionOf, sectionsOf } from '../../../test/markdown.ts'

/** One import, as it stands in a file. */
export interface Import {
  /** The importing file, relative to the root. */
  readonly file: string
  /** The imported file, relative to the root, or a package or `node:` specifier. */
  readonly target: string
  readonly typeOnly: boolean
}

/** The imports that one item of the lists allows. */
export interface Rule {
  /** A file, or a folder that ends in `/`, relative to the root. */
  readonly path: string
  readonly allowed: readonly { readonly target: string; readonly typeOnly: boolean }[]
}

/** The sentence with which a section begins: where its paths begin. */
const beginning = /^Paths begin at (?:the root|`([^`]+\/)`)\.$/

/** An item of a list: a path and its imports. */
const item = /^`([^`]+)`: (.+)$/

/** One import that an item allows: a path or a specifier in backticks, perhaps its types only. */
const allowance = /^(types of )?`([^`]+)`$/

/**
 * Reads the lists under `## Who may import whom`. Each section there has one sentence and one list. Throws where a reader
 * could take an item for something else than it is: further text, tables and nested lists, a path with two items, an item
 * that has more than paths.
 */
export function readRules(markdown: string): readonly Rule[] {
  const whole = sectionOf(markdown, 'Who may import whom')
  const sections = sectionsOf(whole, 3)
  assert.ok(sections.size > 0, 'Who may import whom has sections')
  for (const { type, raw } of lexer(whole.split(/^### /m)[0] ?? '')) {
    assert.ok(['heading', 'paragraph', 'space'].includes(type), `only sections have lists and tables: ${raw}`)
  }
  const rules = [...sections].flatMap(([title, text]) => rulesIn(title, text))
  for (const [index, { path }] of rules.entries()) {
    assert.equal(
      rules.findIndex((other) => other.path === path),
      index,
      `${path} has one item`,
    )
  }
  return rules
}

function rulesIn(title: string, text: string): readonly Rule[] {
  const tokens = lexer(text).filter(({ type }) => type !== 'space')
  assert.deepEqual(
    tokens.map(({ type }) => type),
    ['heading', 'paragraph', 'list'],
    `${title}: a sentence and a list, and nothing else`,
  )
  const [, sentence, list] = tokens as [Token, Tokens.Paragraph, Tokens.List]
  const [matched, root = ''] = beginning.exec(sentence.text) ?? []
  assert.ok(matched !== undefined, `${title} says where its paths begin: ${sentence.text}`)
  return list.items.map((one) => ruleOf(one, root))
}

function ruleOf({ tokens, text }: Tokens.ListItem, root: string): Rule {
  assert.deepEqual(
    tokens.map(({ type }) => type),
    ['text'],
    `an item is one line of text: ${text}`,
  )
  const [, name, imports] = item.exec(text.replaceAll(/\s*\n\s*/g, ' ')) ?? []
  assert.ok(name !== undefined && imports !== undefined, `an item is a path and its imports: ${text}`)
  const parts = imports === 'nothing' ? [] : imports.split(', ')
  const allowed = parts.map((part) => {
    const [, types, target] = allowance.exec(part) ?? []
    assert.ok(target !== undefined, `${name} may import: ${part}`)
    return { target: isPath(target) ? root + target : target, typeOnly: types !== undefined }
  })
  assert.ok(isPath(name), `${name} is a file or a folder`)
  assert.equal(new Set(allowed.map(({ target }) => target)).size, allowed.length, `${name} names nothing twice`)
  return { path: root + name, allowed }
}

/** Whether a name is the path of a file or a folder, and not a specifier. */
function isPath(name: string): boolean {
  return /(?:\/|\.ts)$/.test(name)
}

/** The imports of a source text: `import`, `export … from` and `import()`, with types apart. */
export function importsOf(file: string, source: string): readonly Import[] {
  const code = source.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const statements = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/g
  return [...code.matchAll(statements)].map(([, typeOnly, named, dynamic]) => {
    const specifier = named ?? dynamic ?? ''
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier
    return { file, target, typeOnly: typeOnly !== undefined }
  })
}

/** The rule for a file: its own, or that of the nearest folder that has one. */
export function ruleFor(rules: readonly Rule[], file: string): Rule | undefined {
  const folders = rules.filter(({ path }) => path.endsWith('/') && file.startsWith(path))
  const nearest = folders.toSorted((one, other) => other.path.length - one.path.length)[0]
  return rules.find(({ path }) => path === file) ?? nearest
}

/** Whether an allowance covers a target: it is the target, or it ends in `/` or `:` and the target begins with it. */
export function covers(allowed: string, target: string): boolean {
  return allowed === target || (/[/:]$/.test(allowed) && target.startsWith(allowed))
}

/** A sentence for every import that no rule allows, and for every file without a rule. */
export function violations(rules: readonly Rule[], imports: readonly Import[]): readonly string[] {
  return imports.flatMap(({ file, target, typeOnly }) => {
    const rule = ruleFor(rules, file)
    if (rule === undefined) return [`${file} has no item in the lists`]
    const fits = rule.allowed.some((allowed) => covers(allowed.target, target) && (typeOnly || !allowed.typeOnly))
    return fits ? [] : [`${file} may not import ${typeOnly ? 'types of ' : ''}${target}`]
  })
}
