/** Labels of a sample, by name. */
export type Labels = Readonly<Record<string, string>>

/** A value of a metric at one moment. */
export interface Sample {
  /** What is added to the name of the metric: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string
  readonly labels?: Labels
  readonly value: number
}

/** A metric with its present values. */
export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

/** The media type of the text format of Prometheus. */
export const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Writes metrics in the text format of Prometheus. */
export function textOf(metrics: readonly Metric[]): string {
  return metrics.map((metric) => [...linesOf(metric), ''].join('\n')).join('\n')
}

function linesOf({ name, help, type, samples }: Metric): readonly string[] {
  const lines = samples.map(({ suffix = '', labels = {}, value }) => `${name}${suffix}${written(labels)} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function written(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, escaped)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escaped(character: string): string {
  return character === '\n' ? String.raw`\n` : `\\${character}`
}
