/** Characters without a width: combining marks, joiners and selectors. */
const none = /^[\p{M}\p{Cf}\u1160-\u11ff]$/u

/** Characters that take two columns: those of the scripts of East Asia (UAX #11, W and F), and pictures. */
const two =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u

/** Made when a text first needs it: that takes longer than many a command. */
let segmenter: Intl.Segmenter | undefined

/** The characters of a text as a reader counts them, each with its marks. */
function segmentsOf(text: string): Iterable<Intl.SegmentData> {
  return (segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })).segment(text)
}

/** The width of a text in a terminal. Where terminals differ, the greater width. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of segmentsOf(text)) width += widthOfOne(segment)
  return width
}

function widthOfOne(segment: string): number {
  let width = 0
  for (const character of segment) width += none.test(character) ? 0 : two.test(character) ? 2 : 1
  // A sign that is shown as a picture takes two columns in some terminals.
  return segment.includes('\ufe0f') ? Math.max(2, width) : width
}

/** A text with spaces after it, to this width. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

/** The text if it fits; otherwise its beginning and `…`. Never wider than the given width. */
export function cut(text: string, room: number): string {
  if (widthOf(text) <= room) return text
  const [beginning] = splitAt(text, room - 1)
  return `${beginning}…`
}

/**
 * Breaks a text into lines that fit: at a space, otherwise after a comma, otherwise where the room ends. Nothing is left
 * out.
 */
export function wrapped(text: string, room: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  // A space belongs to the word before it, and may stand beyond the end of the line, where it is not visible.
  for (const word of text.match(/(?:[^ ,]|,(?=\d))+(?: +|,(?!\d))*|[ ,]+/g) ?? []) {
    if (widthOf((line + word).trimEnd()) <= room) {
      line += word
      continue
    }
    if (line !== '') lines.push(line.trimEnd())
    line = word
    while (widthOf(line.trimEnd()) > room) {
      const [beginning, rest] = splitAt(line, room)
      lines.push(beginning)
      line = rest
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line.trimEnd()]
}

/** Splits a text at the end of the room, after at least one character. A character and its marks stay together. */
function splitAt(text: string, room: number): readonly [beginning: string, rest: string] {
  let width = 0
  for (const { segment, index } of segmentsOf(text)) {
    width += widthOfOne(segment)
    if (width > room && index > 0) return [text.slice(0, index), text.slice(index)]
  }
  return [text, '']
}
