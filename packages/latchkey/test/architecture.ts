import { posix } from 'node:path'

/** One import, as it stands in a file. */
export interface Import {
  /** The importing file, relative to the folder that is checked. */
  readonly file: string
  /** What it imports: a path relative to the same folder, or a package or `node:` specifier. */
  readonly target: string
  readonly typeOnly: boolean
}

/** What one row of the table allows: targets, and whether only their types. */
export interface Row {
  readonly allowed: readonly { readonly target: string; readonly typeOnly: boolean }[]
}

/** Reads the table under `## Who may import whom`: a path in the first cell, what it may import in the second. */
export function readTable(markdown: string): ReadonlyMap<string, Row> {
  const [, section = ''] = markdown.split(/^## Who may import whom$/m)
  const rows = new Map<string, Row>()
  for (const line of (section.split(/^## /m)[0] ?? '').split('\n')) {
    const [, path, cell] = /^\| `([^`]+)`\s*\|(.*)\|$/.exec(line) ?? []
    if (path === undefined || cell === undefined) continue
    const allowed = [...cell.matchAll(/(types of )?`([^`]+)`/g)].map(([, types, target = '']) => ({
      target,
      typeOnly: types !== undefined,
    }))
    rows.set(path, { allowed })
  }
  return rows
}

/** The imports of a source text: `import`, `export … from` and `import()`, types told apart. */
export function importsOf(file: string, source: string): readonly Import[] {
  const code = source.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const statements = /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/g
  return [...code.matchAll(statements)].map(([, typeOnly, named, dynamic]) => {
    const specifier = named ?? dynamic ?? ''
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier
    return { file, target, typeOnly: typeOnly !== undefined }
  })
}

/** The row for a file: its own, or that of the nearest folder that has one. */
function rowFor(rows: ReadonlyMap<string, Row>, file: string): Row | undefined {
  const own = rows.get(file)
  if (own !== undefined) return own
  const folders = [...rows.keys()].filter((path) => path.endsWith('/') && file.startsWith(path))
  const nearest = folders.toSorted((one, other) => other.length - one.length)[0]
  return nearest === undefined ? undefined : rows.get(nearest)
}

/** Whether what the table names stands for a target: itself, or with `/` or `:` at its end all that begins so. */
export function covers(named: string, target: string): boolean {
  return named === target || (/[/:]$/.test(named) && target.startsWith(named))
}

/** Every import that the table does not allow, as a sentence; and files that it does not know. */
export function violations(rows: ReadonlyMap<string, Row>, imports: readonly Import[]): readonly string[] {
  return imports.flatMap(({ file, target, typeOnly }) => {
    const row = rowFor(rows, file)
    if (row === undefined) return [`${file} has no row in the table`]
    const fits = row.allowed.some((allowed) => covers(allowed.target, target) && (typeOnly || !allowed.typeOnly))
    return fits ? [] : [`${file} may not import ${typeOnly ? 'types of ' : ''}${target}`]
  })
}
