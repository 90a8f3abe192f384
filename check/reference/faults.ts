// Finds what is missing in doc comments.

import type { Method, Shown } from './declaration.ts'
import { typesIn } from './declaration.ts'
import type { DocComment } from './doc-comment.ts'
import type { Page } from './model.ts'
import { isOurs } from './source.ts'

/** One sentence for each export, method or file whose doc comment lacks what readers need. */
export function faultsOf(pages: readonly Page[]): readonly string[] {
  const exported = new Set(pages.flatMap(({ exports }) => exports.map(({ name }) => name)))
  const faults = pages.flatMap(({ source, exports }) => [
    ...(source.comment?.text ? [] : [`${source.path}: no doc comment with @module says what this path is for`]),
    ...exports.flatMap((shown) => [...faultsOfExport(shown), ...hiddenTypes(shown, exported)]),
  ])
  return [...new Set(faults)]
}

function faultsOfExport({ name, kind, source, comment, methods }: Shown): readonly string[] {
  const place = `${source.path}: ${name}`
  // Users implement the members of a store or a limiter, and do not call them.
  const called = !source.path.includes('/src/ports/')
  return [
    ...faultsOfComment(place, comment, kind === 'function'),
    ...methods.flatMap((method) => faultsOfMethod(place, method, called)),
  ]
}

/** Types that a reader meets and cannot look up. */
function hiddenTypes({ name, source, code, methods }: Shown, exported: ReadonlySet<string>): readonly string[] {
  return typesIn([code, ...methods.map((method) => method.code)].join('\n'))
    .filter((type) => !exported.has(type) && isOurs(source, type))
    .map((type) => `${source.path}: ${name} names the type ${type}, which no path exports`)
}

function faultsOfMethod(place: string, { name, comment, more }: Method, called: boolean): readonly string[] {
  return [
    ...faultsOfComment(`${place}.${name}`, comment, called),
    ...more.flatMap((one) => unknownTags(`${place}.${name}`, one)),
  ]
}

function faultsOfComment(place: string, comment: DocComment | undefined, example: boolean): readonly string[] {
  if (comment === undefined || comment.text === '') return [`${place} has no doc comment`]
  return [
    ...unknownTags(place, comment),
    ...(example && comment.examples.length === 0 ? [`${place} has no @example`] : []),
  ]
}

function unknownTags(place: string, { unknown }: DocComment): readonly string[] {
  return unknown.map((tag) => `${place} has the tag @${tag}, which means nothing here`)
}
