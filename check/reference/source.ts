// A source file, parsed: what it declares, what it exports, and the doc comment that stands before a place.

import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Declaration, Node, Program } from 'oxc-parser'
import { parseSync } from 'oxc-parser'
import type { DocComment } from './doc-comment.ts'
import { readDocComment } from './doc-comment.ts'

export interface Source {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly text: string
  readonly program: Program
  /** Of the file itself: one with `@module`. */
  readonly comment: DocComment | undefined
  /** The doc comment right before a place in the text. */
  readonly commentAt: (start: number) => DocComment | undefined
  /** Where that one begins, or the place itself. */
  readonly startWithComment: (start: number) => number
}

/** Something that a file exports: where it is declared, and how. */
export interface Declared {
  /** The name that it is exported by. */
  readonly name: string
  readonly source: Source
  /** The statement, from `export` on. */
  readonly node: Node
  readonly declaration: Declaration
}

export type Reader = (path: string) => Source

/** Reads source files, each once. */
export function sourceReader(root: string, read = (path: string): string => readFileSync(path, 'utf8')): Reader {
  const sources = new Map<string, Source>()
  return (path) => {
    const known = sources.get(path)
    if (known !== undefined) return known
    const source = parsed(path, read(join(root, path)))
    sources.set(path, source)
    return source
  }
}

function parsed(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors.map(({ message }) => message).join('; ')}`)
  const documenting = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
  const ofModule = documenting.find(({ value }) => /@module\b/.test(value))
  const before = (start: number): (typeof comments)[number] | undefined =>
    documenting.findLast((one) => one !== ofModule && one.end <= start && text.slice(one.end, start).trim() === '')
  return {
    path,
    text,
    program,
    comment: ofModule === undefined ? undefined : readDocComment(ofModule.value),
    commentAt(start) {
      const found = before(start)
      return found === undefined ? undefined : readDocComment(found.value)
    },
    startWithComment: (start) => before(start)?.start ?? start,
  }
}

/** All that a file exports, by name and in its order; followed to where it is declared. */
export function exportsOf(path: string, read: Reader): readonly Declared[] {
  const source = read(path)
  return source.program.body.flatMap((node): readonly Declared[] => {
    if (node.type === 'ExportAllDeclaration' || node.type === 'ExportDefaultDeclaration') {
      throw new Error(`${path}: exports are written one by one, each by its name.`)
    }
    if (node.type !== 'ExportNamedDeclaration') return []
    const { declaration, specifiers } = node
    if (declaration !== null) return namesOf(declaration).map((name) => ({ name, source, node, declaration }))
    return specifiers.map(({ local, exported }) => {
      const name = nameOf(exported)
      const from = node.source?.value ?? importedFrom(source, nameOf(local))
      const found = exportsOf(posix.join(posix.dirname(path), from), read).find((one) => one.name === nameOf(local))
      if (found === undefined) throw new Error(`${path}: ${nameOf(local)} is not declared in ${from}.`)
      return { ...found, name }
    })
  })
}

/** Where a name comes from that is exported by its name alone. */
function importedFrom({ program, path }: Source, name: string): string {
  for (const node of program.body) {
    if (node.type !== 'ImportDeclaration') continue
    if (node.specifiers.some(({ local }) => local.name === name)) return node.source.value
  }
  throw new Error(`${path}: ${name} is exported, and neither declared nor imported.`)
}

function namesOf(declaration: Declaration): readonly string[] {
  if (declaration.type !== 'VariableDeclaration') return 'id' in declaration ? [nameOf(declaration.id)] : []
  return declaration.declarations.map(({ id }) => nameOf(id))
}

/**
 * Whether a name is of this file, or of another one of the same package: not of the language, nor of another package.
 */
export function isOurs({ program }: Source, name: string): boolean {
  return program.body.some((node) => {
    if (node.type === 'ImportDeclaration') {
      return node.source.value.startsWith('.') && node.specifiers.some(({ local }) => local.name === name)
    }
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
    return declaration !== null && 'id' in declaration && nameOf(declaration.id) === name
  })
}

/** The name of a node, if it has one. */
export function nameOf(node: Node | null): string {
  return node !== null && 'name' in node && typeof node.name === 'string' ? node.name : ''
}
