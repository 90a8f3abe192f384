// Where the names in doc comments and declarations lead.

/** Links from one page. */
export interface Links {
  readonly has: (name: string) => boolean
  /** A link to the section about a name; the plain name if there is none. */
  readonly to: (name: string) => string
  /** A text in which the names of exports, the codes of errors and the paths of documents are links. */
  readonly inText: (text: string) => string
}

/** A place on a page. */
export interface Target {
  readonly file: string
  readonly anchor: string
}

/** The possible targets of links. */
export interface Targets {
  readonly names: ReadonlyMap<string, Target>
  /** Codes of errors, each with a section in `docs/reference/errors.md`. */
  readonly errors: ReadonlySet<string>
}

/** @param file - the page that the links stand on. */
export function linksFrom(file: string, { names, errors }: Targets): Links {
  const to = (name: string): string => {
    const target = names.get(name)
    if (target === undefined) return `\`${name}\``
    return `[\`${name}\`](${target.file === file ? '' : target.file}#${target.anchor})`
  }
  return {
    has: (name) => names.has(name),
    to,
    inText(text) {
      // An existing link stays.
      return text.replaceAll(/\[[^\]]*\]\([^)]*\)|`([^`\n]+)`/g, (whole, name: string | undefined) => {
        if (name === undefined) return whole
        if (names.has(name)) return to(name)
        if (errors.has(name)) return `[\`${name}\`](../errors.md#${name})`
        const [, path] = /^docs\/(.+\.md)$/.exec(name) ?? []
        return path === undefined ? whole : `[\`${name}\`](../../${path})`
      })
    },
  }
}
