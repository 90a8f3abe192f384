import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LatchkeyError } from '../../error.ts'
import { foreignValue } from '../foreign-value.ts'
import type { SqlValue } from '../sql.ts'

/** Statements that are kept: those of fixed text are fewer, but a list has another text for each set of filters. */
const most = 500

/** The statements of an open database, each prepared once. Their errors are explained if possible. */
export interface Statements {
  readonly rows: <Row>(text: string, values?: readonly SqlValue[]) => readonly Row[]
  readonly row: <Row>(text: string, values?: readonly SqlValue[]) => Row | undefined
  /**
   * Rows as they are, even with foreign values: an integer that JavaScript cannot represent is read as a number near
   * it.
   */
  readonly audited: <Row>(text: string, values: readonly SqlValue[]) => readonly Row[]
  /** Answers how many rows were changed. */
  readonly run: (text: string, values?: readonly SqlValue[]) => number
  /** The error of a statement, as a sentence that says how to mend it; the error itself if it is unknown. */
  readonly explained: (error: unknown, text: string, values?: readonly SqlValue[]) => unknown
}

/** @param file - where the database is, for sentences about it. */
export function statementsOf(database: DatabaseSync, file: string): Statements {
  const statements = new Map<string, StatementSync>()

  function prepared(text: string): StatementSync {
    let statement = statements.get(text)
    if (statement === undefined) {
      const [oldest] = statements.keys()
      if (statements.size >= most && oldest !== undefined) statements.delete(oldest)
      statement = database.prepare(text)
      statements.set(text, statement)
    }
    return statement
  }

  function explained(error: unknown, text: string, values: readonly SqlValue[] = []): unknown {
    const { code, errcode = 0, message } = error as { code?: string; errcode?: number; message: string }
    if (code === 'ERR_OUT_OF_RANGE') {
      const what = `a number that is too large (${/-?\d+$/.exec(message)?.[0] ?? 'beyond 2^53'})`
      return foreignValue(columnWithTooMuch(text, values), what, error)
    }
    // SQLITE_READONLY
    if (errcode % 256 !== 8) return error
    const advice = 'Whoever writes needs the right to write to the file and to its folder.'
    const sentence = `The database ${file} cannot be written to: ${message}. ${advice}`
    return new LatchkeyError('store_unusable', sentence, { cause: error })
  }

  /** The column with an integer that JavaScript cannot represent. It is found by reading again, never by writing again. */
  function columnWithTooMuch(text: string, values: readonly SqlValue[]): string {
    const statement = database.prepare(text)
    statement.setReadBigInts(true)
    const found = text.startsWith('SELECT') ? statement.all(bound(values)) : []
    const columns = statement.columns()
    const {
      table = null,
      column,
      name,
    } = columns.find((one) => found.some((row) => isTooMuch(row[one.name]))) ?? columns[0] ?? {}
    return table === null ? String(name) : `${table}.${column}`
  }

  function explaining<Result>(
    text: string,
    values: readonly SqlValue[],
    act: (statement: StatementSync) => Result,
  ): Result {
    try {
      return act(prepared(text))
    } catch (error) {
      throw explained(error, text, values)
    }
  }

  return {
    explained,
    rows<Row>(text: string, values: readonly SqlValue[] = []) {
      return explaining(text, values, (statement) => statement.all(bound(values)) as unknown as readonly Row[])
    },
    row<Row>(text: string, values: readonly SqlValue[] = []) {
      return explaining(text, values, (statement) => statement.get(bound(values)) as unknown as Row | undefined)
    },
    run(text, values = []) {
      return explaining(text, values, (statement) => Number(statement.run(bound(values)).changes))
    },
    audited<Row>(text: string, values: readonly SqlValue[]) {
      const statement = prepared(text)
      statement.setReadBigInts(true)
      const found = statement.all(bound(values))
      // In place: an audit reads every row, and copies would be most of its work.
      for (const row of found) {
        for (const column in row) if (typeof row[column] === 'bigint') row[column] = Number(row[column])
      }
      return found as unknown as readonly Row[]
    },
  }
}

function isTooMuch(value: unknown): boolean {
  return typeof value === 'bigint' && !Number.isSafeInteger(Number(value))
}

/** `$1` parameters bind by name in `node:sqlite`; values given in order would skip them. */
function bound(values: readonly SqlValue[]): Record<string, SqlValue> {
  const named: Record<string, SqlValue> = {}
  for (const [index, value] of values.entries()) named[index + 1] = value
  return named
}
