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

/** One import that is allowed. */
export interface Allowance {
  readonly target: string
  readonly typeOnly: boolean
}

/** The imports that one item of the lists allows. */
export interface Rule {
  /** Files, and folders that end in `/`, relative to the root. */
  readonly paths: readonly string[]
  /** What the item itself names. */
  readonly own: readonly Allowance[]
  /** That, the folders themselves, and what all items of the section may import. */
  readonly allowed: readonly Allowance[]
}

/** How a section begins: where its paths begin, and what all its items may import. */
const beginning = /^Paths begin at (?:the root|`([^`]+\/)`)\. All may import (.+)\.$/

/** An item of a list: its paths and their imports. */
const item = /^((?:`[^`]+`, )*`[^`]+`): (.+)$/

/** One import that is allowed: a path or a specifier in backticks, perhaps its types only. */
const allowance = /^(types of )?`([^`]+)`$/

/** Stands for all specifiers but those of Latchkey's own packages. */
const othersPackages = 'packages of others'

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
  const paths = rules.flatMap((rule) => rule.paths)
  for (const [index, path] of paths.entries()) assert.equal(paths.indexOf(path), index, `${path} has one item`)
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
  const [matched, root = '', common = ''] = beginning.exec(inOneLine(sentence.text)) ?? []
  assert.ok(matched !== undefined, `${title} says where its paths begin: ${sentence.text}`)
  const all = allowancesIn(common, { name: title, root })
  return list.items.map((one) => ruleOf(one, { root, all }))
}

const inOneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')

function ruleOf(
  { tokens, text }: Tokens.ListItem,
  { root, all }: { readonly root: string; readonly all: readonly Allowance[] },
): Rule {
  assert.deepEqual(
    tokens.map(({ type }) => type),
    ['text'],
    `an item is one line of text: ${text}`,
  )
  const [, names, imports] = item.exec(inOneLine(text)) ?? []
  assert.ok(names !== undefined && imports !== undefined, `an item is a path and its imports: ${text}`)
  const paths = names.split(', ').map((name) => name.slice(1, -1))
  for (const name of paths) assert.ok(isPath(name), `${name} is a file or a folder`)
  const whole = paths.map((name) => root + name)
  if (imports === 'nothing') return { paths: whole, own: [], allowed: [] }
  const own = imports === 'only that' ? [] : allowancesIn(imports, { name: names.replaceAll('`', ''), root })
  const itself = whole.filter((path) => path.endsWith('/')).map((target) => ({ target, typeOnly: false }))
  return { paths: whole, own, allowed: [...own, ...itself, ...all] }
}

function allowancesIn(
  list: string,
  { name, root }: { readonly name: string; readonly root: string },
): readonly Allowance[] {
  const allowed = list.split(', ').map((part) => {
    if (part === othersPackages) return { target: part, typeOnly: false }
    const [, types, target] = allowance.exec(part) ?? []
    assert.ok(target !== undefined, `${name} may import: ${part}`)
    return { target: isFolderOrFile(target, root) ? root + target : target, typeOnly: types !== undefined }
  })
  assert.equal(new Set(allowed.map(({ target }) => target)).size, allowed.length, `${name} names nothing twice`)
  return allowed
}

/** `latchkey/` is every specifier of the library. */
function isFolderOrFile(name: string, root: string): boolean {
  return isPath(name) && !(root === '' && name === 'latchkey/')
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
  const paths = rules.flatMap((rule) => rule.paths.map((path) => ({ path, rule })))
  const folders = paths.filter(({ path }) => path.endsWith('/') && file.startsWith(path))
  const nearest = folders.toSorted((one, other) => other.path.length - one.path.length)[0]
  return (paths.find(({ path }) => path === file) ?? nearest)?.rule
}

/** Whether an allowance covers a target: it is the target, or it ends in `/` or `:` and the target begins with it. */
export function covers(allowed: string, target: string): boolean {
  if (allowed === othersPackages) return !isPath(target) && !/^latchkey(?:-server)?(?:\/|$)/.test(target)
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
