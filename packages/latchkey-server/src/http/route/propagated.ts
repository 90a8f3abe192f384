import { Type } from '../type.ts'

/** How a change has come to all instances. */
export const propagated = {
  propagation: Type.Object(
    {
      instances: Type.Unsafe<number | null>({
        type: ['integer', 'null'],
        description: 'How many instances there were; null if the database does not know, as SQLite',
      }),
      confirmed: Type.Integer({ description: 'How many of them have confirmed that they act on the change' }),
      lapsed: Type.Integer({
        description: 'How many have not confirmed it in time; they accept no key until they have caught up',
      }),
      waitedMs: Type.Number({ description: 'How many milliseconds it took until the change held on every instance' }),
    },
    { title: 'Propagation' },
  ),
  lapsedInstances: Type.Array(Type.String(), { description: 'The names of the instances that have lapsed' }),
}
