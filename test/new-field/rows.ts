// What a new field of a key takes: `team`, a text or `null`. Each is a row of a table, or a line in an interface that the
// rows are typed by.

import type { Edit } from '../../bench/proofs/proof.ts'

/** A row or a line that the compiler demands. */
export interface Demanded extends Edit {
  /** The file in which the compiler misses it. */
  readonly missedIn: string
}

/** A row or a line after another one. */
function after(file: string, text: string, row: string): Edit {
  return { file, text, becomes: `${text}\n${row}` }
}

const library = 'packages/latchkey/src'
const server = 'packages/latchkey-server/src'
const columns = `${library}/store/key-columns.ts`
const checks = `${library}/keyring/members.ts`
const wire = `${server}/http/keys/fields.ts`
const commandLine = `${server}/cli/key-fields.ts`

/** The column, which no compiler can miss. */
export const migration: Edit = after(
  `${library}/store/migrations.ts`,
  `        environments TEXT NOT NULL
      )\`,
    ],`,
  '    [`ALTER TABLE latchkey_keys ADD COLUMN team TEXT`],',
)

/** The row in each of the four tables. */
export const rows: Readonly<Record<string, Demanded>> = {
  'the table of columns': {
    ...after(columns, `  name: asItIs('name'),`, `  team: asItIs('team'),`),
    missedIn: columns,
  },
  'the table of checks': {
    ...after(
      checks,
      `  name: { required: true, delegable: false, check: (value) => text('name', value, bounds.label) },`,
      `  team: { required: false, delegable: false, empty: null, check: (value) => text('team', value, bounds.label) },`,
    ),
    missedIn: checks,
  },
  'the table of fields over HTTP': {
    ...after(
      wire,
      'export const settable = {',
      `  team: {
    description: 'The team that looks after the key',
    example: 'blue',
    presence: 'clearable',
    asked: label,
    answered: nullable(Type.String()),
  },`,
    ),
    missedIn: wire,
  },
  'the table of fields on the command line': {
    ...after(
      commandLine,
      `    column: { title: 'OWNER', flexible: true },
  },`,
      `  team: {
    required: false,
    kind: text,
    options: [new Option('--team <team>', 'the team that looks after it')],
    clear: 'team',
    show: { title: 'team', none: 'none' },
  },`,
    ),
    missedIn: commandLine,
  },
}

/** The lines that the rows are typed by, and the one that reads a column where every nanosecond counts. */
export const lines: Readonly<Record<string, Demanded>> = {
  'the members that a caller sets': {
    ...after(checks, '  readonly name: string', '  readonly team?: string | null'),
    missedIn: checks,
  },
  'the key as it is kept': {
    ...after(`${library}/ports/records.ts`, '  readonly name: string', '  readonly team: string | null'),
    missedIn: checks,
  },
  'the key as it is answered': {
    ...after(`${library}/keyring/key.ts`, '  readonly name: string', '  readonly team: string | null'),
    missedIn: `${server}/cli/key-fields/shown.ts`,
  },
  'the key in a row of the database': {
    ...after(columns, `    name: row['name'] as string,`, `    team: row['team'] as string | null,`),
    missedIn: columns,
  },
}
