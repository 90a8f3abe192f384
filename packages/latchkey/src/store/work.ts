import type { Store } from '../ports.ts'
import type { SqlValue } from './sql.ts'

/** A statement that a work asks for, and in which form it wants the answer. */
export interface Statement {
  readonly text: string
  readonly values: readonly SqlValue[]
  /**
   * - `rows`, `row`: all rows, or the first.
   * - `audited`: all rows, with foreign values too: an integer that JavaScript cannot represent is a number near it.
   * - `run`: how many rows were changed.
   */
  readonly asks: 'rows' | 'row' | 'audited' | 'run'
}

/**
 * Work on a database, written once for all engines. It yields statements, and goes on with their answers; an engine that
 * answers at once does all of it at once. Where it yields `undefined` the engine may do something else first, and answers
 * whether the work has taken long enough.
 */
export type Work<Result> = Generator<Statement | undefined, Result>

/** Some methods of a store, as work. */
export type Working<Name extends keyof Store> = {
  readonly [Method in Name]: Store[Method] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Work<Awaited<Answer>>
    : never
}

export function* rows<Row>(text: string, values: readonly SqlValue[] = []): Work<readonly Row[]> {
  return (yield { text, values, asks: 'rows' }) as readonly Row[]
}

export function* row<Row>(text: string, values: readonly SqlValue[] = []): Work<Row | undefined> {
  return (yield { text, values, asks: 'row' }) as Row | undefined
}

export function* audited<Row>(text: string, values: readonly SqlValue[]): Work<readonly Row[]> {
  return (yield { text, values, asks: 'audited' }) as readonly Row[]
}

/** Answers how many rows were changed. */
export function* run(text: string, values: readonly SqlValue[] = []): Work<number> {
  return (yield { text, values, asks: 'run' }) as number
}

/** Lets the engine do something else. Answers whether the work has taken long enough. */
export function* pause(): Work<boolean> {
  return (yield undefined) === true
}

/** Does steps until they have taken long enough, the first in any case, and answers how many. */
export function* takeSome(steps: Iterable<Work<unknown>>): Work<number> {
  let taken = 0
  for (const step of steps) {
    yield* step
    taken++
    if (yield* pause()) break
  }
  return taken
}
