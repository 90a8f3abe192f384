import type { Statement, Work } from '../work.ts'
import type { Statements } from './statements.ts'

/** Milliseconds after which a work has taken long enough; the commit of what it has written takes about as long again. */
const longest = 2

function answer(statements: Pick<Statements, Statement['asks']>, { asks, text, values }: Statement): unknown {
  return statements[asks](text, values)
}

/** Does work at once on one connection. */
export function workingOf(statements: Pick<Statements, Statement['asks']>): <Result>(work: Work<Result>) => Result {
  return (work) => {
    const began = performance.now()
    let step = work.next()
    while (step.done !== true) {
      const { value: asked } = step
      step = work.next(asked === undefined ? performance.now() - began >= longest : answer(statements, asked))
    }
    return step.value
  }
}

/** Does work in pieces that take about as long as each other, whatever their rows need from the disk. */
export function* inPieces<Result>(
  statements: Pick<Statements, Statement['asks']>,
  work: Work<Result>,
): Generator<undefined, Result> {
  let began = performance.now()
  let step = work.next()
  while (step.done !== true) {
    const { value: asked } = step
    if (asked !== undefined) {
      step = work.next(answer(statements, asked))
      continue
    }
    if (performance.now() - began >= longest) {
      yield
      began = performance.now()
    }
    step = work.next(false)
  }
  return step.value
}
