/** From least to most. */
const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** The most characters of a line of bars. */
const longest = 31

/**
 * Numbers as a line of bars, the highest as high as a line of text; nothing is a dot. More numbers than fit are added up,
 * some at a time.
 *
 * @example bars([0, 1, 4, 8]) // '·▁▄█'
 */
export function bars(numbers: readonly number[]): string {
  const each = Math.max(1, Math.ceil(numbers.length / longest))
  const sums = Array.from({ length: Math.ceil(numbers.length / each) }, (_, index) => {
    return numbers.slice(index * each, (index + 1) * each).reduce((sum, number) => sum + number, 0)
  })
  const most = Math.max(...sums)
  return sums.map((sum) => (sum === 0 ? '·' : heights[Math.ceil((sum / most) * heights.length) - 1])).join('')
}
