/** The most characters in a field, roughly. */
const longestField = 1_000_000

/**
 * Reads the records of a CSV (RFC 4180): fields in double quotes may have commas, line breaks and doubled quotes. It
 * reads the text piece by piece; each record has the number of its first line.
 *
 * @throws SyntaxError for a quote in the wrong place.
 */
export async function* csvRecords(
  chunks: AsyncIterable<string>,
): AsyncGenerator<{ readonly line: number; readonly fields: readonly string[] }> {
  let line = 1
  let began = 1
  let fields: string[] = []
  let field = ''
  /** The place in a field: outside quotes, inside them, or after a quote that may be the first of two. */
  let state: 'plain' | 'quoted' | 'quote' = 'plain'
  let wasQuoted = false

  const endField = (): void => {
    fields.push(field)
    field = ''
    state = 'plain'
    wasQuoted = false
  }
  const fault = (what: string): SyntaxError => new SyntaxError(`Line ${line}: ${what}.`)

  for await (const chunk of chunks) {
    for (const character of chunk) {
      if (state === 'quoted') {
        if (character === '"') state = 'quote'
        else field += character
      } else if (character === '"') {
        if (state === 'plain' && field !== '') throw fault('a quote in the middle of a field that is not in quotes')
        if (state === 'quote') field += '"'
        state = 'quoted'
        wasQuoted = true
      } else if (character === ',') {
        endField()
      } else if (character === '\n') {
        if (!wasQuoted) field = field.replace(/\r$/, '')
        endField()
        if (fields.length > 1 || fields[0] !== '') yield { line: began, fields }
        fields = []
        began = line + 1
      } else if (state === 'quote' && character !== '\r') {
        throw fault('text after the quote that ends a field')
      } else if (state !== 'quote') {
        field += character
      }
      if (character === '\n') line++
    }
    // If a quote is not closed, the whole rest of the file would be one field.
    if (field.length > longestField)
      throw new SyntaxError(`Line ${began}: a field is too long, or a quote is not closed.`)
  }
  if (state === 'quoted') throw new SyntaxError(`Line ${began}: a quote is not closed.`)
  if (field !== '' || fields.length > 0) {
    if (!wasQuoted) field = field.replace(/\r$/, '')
    endField()
    yield { line: began, fields }
  }
}
