// The examples of all doc comments.

import type { DocComment } from './doc-comment.ts'
import type { Page } from './model.ts'
import { homeOf } from './model.ts'

/** One `@example`. */
export interface Example {
  /** The export or method that it is of, and which it is: `Keyring.issue`, `FastifyGuard.requires 2`. */
  readonly name: string
  readonly code: string
}

/** Every example of what the paths export, each once. */
export function examplesOf(pages: readonly Page[]): readonly Example[] {
  return pages.flatMap((page) =>
    page.exports
      .filter((shown) => homeOf(pages, shown) === page)
      .flatMap(({ name, comment, methods }) => [
        ...examplesIn(name, [comment]),
        ...methods.flatMap((method) => examplesIn(`${name}.${method.name}`, [method.comment, ...method.more])),
      ]),
  )
}

function examplesIn(name: string, comments: readonly (DocComment | undefined)[]): readonly Example[] {
  const codes = comments.flatMap((comment) => comment?.examples ?? [])
  return codes.map((code, index) => ({ name: index === 0 ? name : `${name} ${index + 1}`, code }))
}
