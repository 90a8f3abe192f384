// Stand-in until the real one arrives.
export function canonicalRange(text: string): string | undefined {
  return text.includes('/') ? text : `${text}/32`
}
export function addressMatcher(ranges: readonly string[]): (address: string) => boolean {
  return (address) => ranges.includes(`${address}/32`)
}
export function rangesCover(outer: readonly string[], inner: readonly string[]): boolean {
  return inner.every((range) => outer.includes(range))
}
