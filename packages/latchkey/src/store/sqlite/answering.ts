import type { Store } from '../../ports.ts'

/** Some methods of a store on one connection, which answers at once. */
export type Answering<Name extends keyof Store> = {
  readonly [Method in Name]: Store[Method] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Awaited<Answer>
    : never
}
