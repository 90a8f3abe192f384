/** The result of comparing two samples. */
export interface Comparison {
  /** The largest of all |t|, whatever the crop. */
  readonly t: number
  /** By the share of the fastest calls that was kept: t, and how much slower the second is, in nanoseconds. */
  readonly crops: Readonly<Record<string, { readonly t: number; readonly slower: number }>>
}

/**
 * Shares of the fastest calls to look at. A leak may sit in the common case, which outliers hide, or in the outliers,
 * so both are asked for, as dudect does (Reparaz, Balasch, Verbauwhede 2017).
 */
const shares = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]

/**
 * Welch's t-test of two samples of nanoseconds, on all of them and on the fastest: cut at one threshold for both, which
 * is taken from both together.
 *
 * @example compare(unknown, revoked).t < 4.5
 */
export function compare(one: Float64Array = empty, other: Float64Array = empty): Comparison {
  const pooled = new Float64Array(one.length + other.length)
  pooled.set(one)
  pooled.set(other, one.length)
  pooled.sort()
  const crops = Object.fromEntries(
    shares.flatMap((share) => {
      const threshold = pooled[Math.ceil(pooled.length * share) - 1] ?? Infinity
      const [ours, others] = [below(one, threshold), below(other, threshold)]
      // A difference may be so plain that the fastest are all of one sample: there is nothing to compare them with.
      return ours.count < 2 || others.count < 2 ? [] : [[String(share), welch(ours, others)] as const]
    }),
  )
  const sizes = Object.values(crops).map(({ t }) => Math.abs(t))
  // Without anything to compare there is no t, and not a small one.
  return { t: sizes.length === 0 ? Number.NaN : Math.max(...sizes), crops }
}

const empty = new Float64Array(0)

interface Moments {
  readonly count: number
  readonly mean: number
  readonly variance: number
}

function below(sample: Float64Array, threshold: number): Moments {
  let count = 0
  let sum = 0
  for (const value of sample) {
    if (value > threshold) continue
    count++
    sum += value
  }
  const mean = sum / count
  let squares = 0
  for (const value of sample) if (value <= threshold) squares += (value - mean) ** 2
  return { count, mean, variance: squares / (count - 1) }
}

function welch(one: Moments, other: Moments): { readonly t: number; readonly slower: number } {
  const slower = other.mean - one.mean
  const t = slower / Math.sqrt(one.variance / one.count + other.variance / other.count)
  return { t: rounded(t), slower: rounded(slower) }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
