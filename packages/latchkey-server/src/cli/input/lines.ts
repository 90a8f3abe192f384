import type { Readable } from 'node:stream'
import { repeatedMember } from 'latchkey/problem/fastify'
import { Failure } from '../exit.ts'
import { csvRecords } from './csv.ts'

/** The format of a file. */
export type LineFormat = 'csv' | 'jsonl'

/** A line as an object that is not checked yet, from either format. */
export type Loose = Record<string, unknown>

/** How the columns of a CSV are read. */
export interface Columns {
  /** Whether an empty field is an empty text. Otherwise it counts as missing. */
  readonly mayBeEmpty: (column: string) => boolean
  /** Whether the column `member.part` is the member `part` of an object. */
  readonly inParts: (member: string) => boolean
}

/**
 * Reads the objects of a file, one after the other.
 *
 * @throws Failure `usage`, which names the line and never shows its content.
 */
export async function* looseLines(input: Readable, format: LineFormat, columns: Columns): AsyncGenerator<LooseLine> {
  let found = false
  try {
    for await (const line of format === 'csv' ? objectsOfCsv(input, columns) : objectsOfJsonLines(input)) {
      found = true
      yield line
    }
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new Failure('usage', 'The input is not in UTF-8. Convert it first.', { cause: error })
    throw syscall === 'read' ? new Failure('usage', `The input cannot be read (${code}).`) : error
  }
  // A file without keys is probably a failed export.
  if (!found) throw new Failure('usage', 'The input has no keys.')
}

/** A line with its number. */
export interface LooseLine {
  readonly line: number
  readonly value: Loose
}

/** The failure of a line. */
export const wrong = (line: number, what: string): Failure => new Failure('usage', `Line ${line}: ${what}.`)

/** The text of a file, without a byte order mark. Other encodings are refused: they could turn two owners into one. */
async function* textOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const bytes of input as AsyncIterable<Uint8Array>) yield decoder.decode(bytes, { stream: true })
  yield decoder.decode()
}

/** The most characters in a line. The largest key takes less. */
const longestLine = 1_000_000

/** Lines, with or without a carriage return at their ends. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let rest = ''
  let line = 1
  for await (const text of textOf(input)) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const complete of lines) yield complete.replace(/\r$/, '')
    line += lines.length
    if (rest.length > longestLine) throw wrong(line, 'it is too long')
  }
  if (rest !== '') yield rest
}

async function* objectsOfJsonLines(input: Readable): AsyncGenerator<LooseLine> {
  let line = 0
  for await (const text of linesOf(input)) {
    line++
    if (text.trim() === '') continue
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      // The message of the parser would show a part of the line.
      throw wrong(line, 'it is not JSON')
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(line, 'it is not a JSON object')
    const twice = repeatedMember(text)
    if (twice !== undefined) throw wrong(line, `${twice.slice(1, 80)} appears twice`)
    yield { line, value: value as Loose }
  }
}

async function* objectsOfCsv(input: Readable, columns: Columns): AsyncGenerator<LooseLine> {
  let header: readonly string[] | undefined
  try {
    for await (const { line, fields } of csvRecords(textOf(input))) {
      if (header === undefined) {
        header = fields.map((name) => name.trim())
        for (const [index, name] of header.entries()) {
          if (name === '') throw wrong(line, `column ${index + 1} has no name`)
          if (header.indexOf(name) !== index) throw wrong(line, `the column ${name} appears twice`)
        }
        continue
      }
      if (fields.length !== header.length)
        throw wrong(line, `it has ${fields.length} fields, but the header has ${header.length}`)
      const value: Loose = {}
      for (const [index, name] of header.entries()) {
        const field = fields[index] ?? ''
        // An empty field counts as missing, unless the field is required: then its value is empty.
        if (field === '' && !columns.mayBeEmpty(name)) continue
        const [, member = '', part = ''] = /^([^.]*)\.(.*)$/.exec(name) ?? []
        if (columns.inParts(member)) value[member] = { ...(value[member] as object | undefined), [part]: field }
        else value[name] = field
      }
      yield { line, value }
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new Failure('usage', error.message)
    throw error
  }
}
