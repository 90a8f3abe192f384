import type { Labels, Sample } from './text.ts'

/** Counts values by their size. */
export interface Histogram {
  readonly observe: (value: number) => void
  /** Its samples, each with these labels. */
  readonly samples: (labels: Labels) => readonly Sample[]
}

/** @param bounds - the upper bounds of its buckets, the smallest first. */
export function openHistogram(bounds: readonly number[]): Histogram {
  const buckets = Array.from({ length: bounds.length + 1 }, () => 0)
  let sum = 0
  return {
    observe(value) {
      let bucket = 0
      while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
      buckets[bucket] = (buckets[bucket] as number) + 1
      sum += value
    },
    samples(labels) {
      let count = 0
      const upTo = buckets.map((values, index): Sample => {
        count += values
        return { suffix: '_bucket', labels: { le: String(bounds[index] ?? '+Inf'), ...labels }, value: count }
      })
      return [...upTo, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count }]
    },
  }
}
