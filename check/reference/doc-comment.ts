// Reads a doc comment: its text, and the tags that follow it.

/** The content of a doc comment. */
export interface DocComment {
  /** The text before the first tag, in Markdown. */
  readonly text: string
  readonly parameters: readonly { readonly name: string; readonly text: string }[]
  readonly returns: string | undefined
  readonly throws: readonly string[]
  /** In TypeScript. */
  readonly examples: readonly string[]
  /** It is about the file. */
  readonly ofModule: boolean
  /** Unknown tags: a typing error would otherwise hide the text after it. */
  readonly unknown: readonly string[]
}

const known: ReadonlySet<string> = new Set(['', 'param', 'returns', 'throws', 'example', 'module'])

/** @param comment - the text between the two slashes, stars included. */
export function readDocComment(comment: string): DocComment {
  const lines = comment
    .replace(/^\*+/, '')
    .replace(/\*+$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  const parts: { tag: string; lines: string[] }[] = [{ tag: '', lines: [] }]
  for (const line of lines) {
    const [, tag, rest = ''] = /^\s?@(\w+)(?:\s(.*))?$/.exec(line) ?? []
    if (tag === undefined) parts.at(-1)?.lines.push(line)
    else parts.push({ tag, lines: [rest] })
  }
  const texts = (wanted: string): readonly string[] =>
    parts.filter(({ tag }) => tag === wanted).map((part) => part.lines.join('\n').trim())
  return {
    text: [...texts(''), ...texts('module')].join('\n\n').trim(),
    parameters: texts('param').map((text) => {
      const [, name = '', said = ''] = /^(\w+)\s*(?:-\s*)?([^]*)$/.exec(text) ?? []
      return { name, text: said }
    }),
    returns: texts('returns')[0],
    throws: texts('throws'),
    examples: texts('example'),
    ofModule: parts.some(({ tag }) => tag === 'module'),
    unknown: parts.map(({ tag }) => tag).filter((tag) => !known.has(tag)),
  }
}
