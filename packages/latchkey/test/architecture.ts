import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { readPage, sectionOf } from '../../../test/markdown.ts'

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

/** One thing that a row allows: `types of` and a path or specifier in backticks. */
const allowance = /^(types of )?`([^`]+)`$/

/**
 * Reads the tables under `## Who may import whom`: a path in the first cell, what it may import in the second. Throws
 * where a reader could take a row for something else than it is: a malformed table, a row outside of one, a path that
 * stands twice, a cell that says more than paths.
 */
export function readTable(markdown: string): ReadonlyMap<string, Row> {
  const { tables, faults } = readPage(sectionOf(markdown, 'Who may import whom'))
  assert.deepEqual(faults, [])
  const rows = new Map<string, Row>()
  for (const [path, cell] of tables.flatMap((table) => table.rows)) {
    const name = /^`([^`]+)`$/.exec(path ?? '')?.[1]
    assert.ok(name !== undefined, `the first cell is a path: ${path}`)
    assert.ok(!rows.has(name), `${name} has one row`)
    const parts = cell === 'nothing' ? [] : (cell ?? '').split(', ')
    const allowed = parts.map((part) => {
      const [, types, target] = allowance.exec(part) ?? []
      assert.ok(target !== undefined, `${name} may import: ${part}`)
      return { target, typeOnly: types !== undefined }
    })
    assert.equal(new Set(allowed.map(({ target }) => target)).size, allowed.length, `${name} names nothing twice`)
    rows.set(name, { allowed })
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
