import type { Erased } from 'latchkey'
import { Type } from '../type.ts'
import { repeated } from './once.ts'
import { propagated } from './propagated.ts'

/** The answer of a route that erases. */
export const erased = Type.Object(
  {
    entry: Type.Integer({ description: 'The number of the journal entry that says that it was erased' }),
    cleared: Type.Boolean({
      description:
        'Whether nothing of it is left in the files of the database. False while somebody else reads a state of before, and for a database of more than 64 MiB until it is written anew (latchkey scrub)',
    }),
    ...propagated,
    repeated,
  } satisfies { readonly [Member in keyof Erased]-?: unknown },
  { title: 'Erased' },
)
