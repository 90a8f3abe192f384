import type { ReadName } from '../reads.ts'
import { atOneMoment, readsOf } from '../reads.ts'
import type { Work } from '../work.ts'
import { engine } from './engine.ts'
import type { Statements } from './statements.ts'
import type { Transactions } from './transactions.ts'
import { workingOf } from './working.ts'

const reads = readsOf(engine)

/** Does on one connection what the method of a store with this name does. */
export function readingOf(
  statements: Pick<Statements, 'rows' | 'row' | 'audited' | 'run'>,
  transactions: Pick<Transactions, 'atOneMoment'>,
): (name: ReadName, args: readonly unknown[]) => unknown {
  const perform = workingOf(statements)
  return (name, args) => {
    const read = reads[name] as (...values: readonly unknown[]) => Work<unknown>
    const answer = (): unknown => perform(read(...args))
    return atOneMoment.has(name) ? transactions.atOneMoment(answer) : answer()
  }
}
