// Every Node that has modules must be able to read this file, so its syntax is old.

/**
 * Why this version of Node does not fit, in a line that names one that does; `undefined` if it fits.
 *
 * @param range - as in `engines` of a `package.json`: `^24.16.0 || >=26`.
 *
 * @example nodeFault('20.20.2', '^24.16.0 || >=26') // 'This is Node 20.20.2. Latchkey needs Node 24.16 or a later 24, …'
 */
export function nodeFault(version: string, range: string): string | undefined {
  const parts = range.split('||').map((part) => part.trim())
  if (parts.some((part) => isIn(version, part))) return undefined
  return `This is Node ${version}. Latchkey needs Node ${parts.map(wordsFor).join(', or ')}.`
}

function isIn(version: string, part: string): boolean {
  const [here, least] = [numbersOf(version), numbersOf(part)]
  if (part.startsWith('^') && here[0] !== least[0]) return false
  const different = least.findIndex((number, index) => number !== here[index])
  return different === -1 || Number(here[different]) > Number(least[different])
}

function wordsFor(part: string): string {
  const [major, minor] = numbersOf(part)
  const least = minor === 0 ? String(major) : `${major}.${minor}`
  return part.startsWith('^') ? `${least} or a later ${major}` : `${least} or later`
}

/** The three numbers of a version; what is left out is 0. */
function numbersOf(text: string): readonly number[] {
  const numbers = text.replace(/^\D+/, '').replace(/-.*$/, '').split('.').map(Number)
  return [0, 1, 2].map((index) => numbers[index] || 0)
}
