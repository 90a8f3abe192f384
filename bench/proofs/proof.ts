/** The bound of a figure. */
export type Bound = { readonly is: number } | { readonly below: number } | { readonly atLeast: number }

/** The result of a proof. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number>>
  /** Bounds by the name of the figure that they are for. Figures without a bound are for information. */
  readonly required: Readonly<Record<string, Bound>>
  /** Notes that help to understand the figures. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** How a proof is run. */
export interface Run<Size extends string = string> {
  readonly sizes: Readonly<Record<Size, number>>
  /** What was chosen, by the name of the choice. */
  readonly chosen: Readonly<Record<string, string>>
  /** The source of all random choices of the proof: the same seed makes the same choices. */
  readonly seed: number
  /** Reports progress. */
  readonly progress: (line: string) => void
}

/** A possible mistake in the sources, for a proof to find. */
export interface Fault {
  /** The mistake, in a few words. */
  readonly is: string
  /** The replacements, each of a text that is in its file exactly once. Paths begin at the root of the repository. */
  readonly edits: readonly Edit[]
  /** The figures that show it: one of them must be missed. That another is missed says nothing. */
  readonly shownBy: readonly [string, ...string[]]
}

/** A text and its replacement. */
export interface Edit {
  readonly file: string
  readonly text: string
  readonly becomes: string
}

/** A long check of a promise. */
export interface Proof<Size extends string = string> {
  /** The promise, as one sentence. */
  readonly promise: string
  /** How long it takes at its full size, for people. */
  readonly takes: string
  /** Its sizes, the main one named `n`, with their defaults. */
  readonly sizes: Readonly<Record<Size, number>>
  /** Words to choose from, by the name of the choice. The first is chosen where nothing is said. */
  readonly choices?: Readonly<Record<string, readonly [string, ...string[]]>>
  readonly prove: (run: Run<Size>) => Promise<Outcome>
  /** The faults that it must find, by name, and the sizes at which it finds them. */
  readonly faults: { readonly [name: string]: Fault }
  readonly faultSizes: { readonly [Name in Size]?: number }
}

/** Lets the compiler see the names of the sizes, and the runner forget them. */
export function defineProof<const Size extends string>(proof: Proof<Size>): Proof {
  return proof
}

/**
 * The names of the required figures that were missed. One that was not measured, or is not a number, is missed.
 *
 * @example missed({ figures: { lost: 1 }, required: { lost: { is: 0 } } }) // ['lost']
 */
export function missed({ figures, required }: Outcome): readonly string[] {
  return Object.entries(required)
    .filter(([name, bound]) => !keeps(figures[name] ?? Number.NaN, bound))
    .map(([name]) => name)
}

function keeps(figure: number, bound: Bound): boolean {
  if ('is' in bound) return figure === bound.is
  if ('below' in bound) return figure < bound.below
  return figure >= bound.atLeast
}
