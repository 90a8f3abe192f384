import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LatchkeyError } from '../../error.ts'
import { migrations } from '../migrations.ts'
import { statementsOf } from './statements.ts'
import { textIndex } from './text-index.ts'
import { workingOf } from './working.ts'

/** One of the steps that bring tables up to date. */
export interface MigrationStep {
  /** Its number, from 1. */
  readonly step: number
  /** How many steps there are. */
  readonly steps: number
}

/** The `cause` of the error, by which code that inspects a database decides what to advise. */
const olderSchema = 'older schema'
const newerSchema = 'newer schema'

/** A random text of 128 bits. */
const random = 'LOWER(HEX(RANDOMBLOB(16)))'

const steps = migrations({
  integer: 'INTEGER',
  numbered: 'INTEGER',
  byPrimaryKey: 'WITHOUT ROWID',
  random,
  ofItsOwn: textIndex,
})

const reachedVersion = 'SELECT COALESCE(MAX(version), 0) AS version FROM latchkey_migrations'

/** The version of the tables that this version of Latchkey makes. */
export const latestSchema: number = steps.length

/** Gives a copy of a database a key of cursors of its own. */
export const newCursorKey: string = `UPDATE latchkey_cursor_key SET key = ${random} || ${random}`

/** The version of the tables in a database; 0 while there are none. */
function schemaOf(database: DatabaseSync): number {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'latchkey_migrations'").get()
  if (table === undefined) return 0
  const reached = Number(database.prepare(reachedVersion).get()?.['version'])
  if (reached > latestSchema) {
    const message = 'The database was written by a newer version of Latchkey. Use that version, or another file.'
    throw new LatchkeyError('store_unusable', message, { cause: newerSchema })
  }
  return reached
}

/**
 * Checks that the tables have not become newer since they were opened: of a newer table this version would write only a
 * part, and of a newer restriction of a key it knows nothing. It costs some 2 µs; ask in the transaction that it is for.
 */
export function currencyOf(database: DatabaseSync): () => void {
  let reached: StatementSync | undefined
  return () => {
    reached ??= database.prepare(reachedVersion)
    if (Number(reached.get()?.['version']) <= latestSchema) return
    const message = 'A newer version of Latchkey has brought the database up to date while this program had it open.'
    const advice = 'Stop this program, and start it anew with that version.'
    throw new LatchkeyError('store_unusable', `${message} ${advice}`, { cause: newerSchema })
  }
}

/** @throws LatchkeyError `store_unusable` for tables of another version; its `cause` says whether older or newer. */
export function mustBeOfThisVersion(database: DatabaseSync, file: string): void {
  if (schemaOf(database) === latestSchema) return
  const advice = 'Make a backup (latchkey backup), then bring it up to date (latchkey migrate).'
  const message = `The database ${file} is of an older version of Latchkey, or has no tables yet. ${advice}`
  throw new LatchkeyError('store_unusable', message, { cause: olderSchema })
}

/**
 * Makes the tables of a new database, and brings older ones up to date unless only `fresh` ones are to be made. Answers
 * in how many steps.
 *
 * @param onStep - called before each step on older tables.
 */
export function migrate(
  database: DatabaseSync,
  {
    file,
    fresh,
    onStep,
  }: { readonly file: string; readonly fresh: boolean; readonly onStep: ((step: MigrationStep) => void) | undefined },
): number {
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec('CREATE TABLE IF NOT EXISTS latchkey_migrations (version INTEGER PRIMARY KEY)')
    const reached = schemaOf(database)
    if (fresh && reached > 0) {
      database.exec('ROLLBACK')
      return 0
    }
    for (const [index, step] of steps.entries()) {
      if (index < reached) continue
      if (reached > 0) onStep?.({ step: index + 1, steps: steps.length })
      for (const statement of step) {
        if (typeof statement === 'string') database.exec(statement)
        else workingOf(statementsOf(database, file))(statement())
      }
      database.prepare('INSERT INTO latchkey_migrations (version) VALUES ($1)').run({ 1: index + 1 })
    }
    database.exec('COMMIT')
    return steps.length - reached
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
