import { hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ImportedKey, KeyMembers } from 'latchkey'
import { decodeHash, weaknessOf } from 'latchkey'
import { repeatedMember } from 'latchkey/problem/fastify'
import { Failure } from '../exit.ts'
import { keyFields } from '../key-fields.ts'
import type { Kind } from '../key-fields/kinds.ts'
import { timestamp } from '../key-fields/kinds.ts'
import { csvRecords } from './csv.ts'

/** A key to import with the number of its line, or the weakness of that key. */
export type ImportLine =
  | { readonly line: number; readonly key: ImportedKey<string> }
  | { readonly line: number; readonly weakness: string }

/** How to read the lines. */
export interface ImportFormat {
  readonly format: 'csv' | 'jsonl'
  /** The lines hold keys instead of hashes. Each key is hashed here, and only the hash is passed on. */
  readonly unhashed: boolean
  /** The random bits of each secret whose line does not have them. */
  readonly bits: number | undefined
  /** Scopes of the other system, each with the scopes that stand for it here. Others stay as they are. */
  readonly scopeMap?: ReadonlyMap<string, readonly string[]>
}

/** A line as an object that is not checked yet, from either format. */
type Loose = Record<string, unknown>

/**
 * Reads the keys of a file, one after the other.
 *
 * @throws Failure `usage`, which names the line and never shows its content.
 */
export async function* importLines(
  input: Readable,
  { format, unhashed, bits, scopeMap }: ImportFormat,
): AsyncGenerator<ImportLine> {
  const lines = format === 'csv' ? objectsOfCsv(input) : objectsOfJsonLines(input)
  let found = false
  try {
    for await (const { line, value } of lines) {
      found = true
      const weakness = unhashed ? weaknessOf(credentialIn({ line, value })) : undefined
      yield weakness === undefined
        ? { line, key: keyOf({ line, value, unhashed, bits, scopeMap: scopeMap ?? new Map() }) }
        : { line, weakness }
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

interface LooseLine {
  readonly line: number
  readonly value: Loose
}

const wrong = (line: number, what: string): Failure => new Failure('usage', `Line ${line}: ${what}.`)

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

/** How to read a member of a line, and its columns in a CSV. */
type FileMember = Pick<Kind<never>, 'fromFile' | 'inParts'> & { readonly required: boolean }

const asIs: FileMember = { fromFile: (value) => value, required: false }

/** The members of a line besides the fields of a key. */
const others: { readonly [Member in Exclude<keyof ImportedKey<string>, keyof KeyMembers<string>>]: FileMember } = {
  environment: asIs,
  hash: asIs,
  algorithm: asIs,
  bits: { fromFile: (value) => (typeof value === 'string' ? Number(value) : value), required: false },
  start: asIs,
  before: asIs,
  createdAt: { fromFile: timestamp.fromFile, required: false },
  lastUsedAt: { fromFile: timestamp.fromFile, required: false },
  disabled: { fromFile: booleanOf, required: false },
}

/** CSV has texts only. */
function booleanOf(value: unknown): unknown {
  return value === 'true' || (value === 'false' ? false : value)
}

const members: ReadonlyMap<string, FileMember> = new Map([
  ...keyFields.map(([member, { kind, required }]) => [member, { ...kind, required }] as const),
  ...Object.entries(others),
])

async function* objectsOfCsv(input: Readable): AsyncGenerator<LooseLine> {
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
        if (field === '' && members.get(name)?.required !== true) continue
        const [, member = '', part = ''] = /^([^.]*)\.(.*)$/.exec(name) ?? []
        if (members.get(member)?.inParts === true)
          value[member] = { ...(value[member] as object | undefined), [part]: field }
        else value[name] = field
      }
      yield { line, value }
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new Failure('usage', error.message)
    throw error
  }
}

/** The key in a line that holds a key instead of a hash. */
function credentialIn({ line, value: { key, secret, hash: hashed } }: LooseLine): string {
  const credential = key ?? secret
  if (typeof credential !== 'string' || credential === '') throw wrong(line, 'it has no "key"')
  if ((key ?? credential) !== (secret ?? credential)) throw wrong(line, 'it has a "key" and a "secret": leave one out')
  if (hashed !== undefined) throw wrong(line, 'it has a key and a hash: leave one out')
  return credential
}

function keyOf({
  line,
  value,
  unhashed,
  bits,
  scopeMap,
}: LooseLine & Required<Omit<ImportFormat, 'format'>>): ImportedKey<string> {
  const { key, secret, ...fields } = value
  if (unhashed) {
    const credential = credentialIn({ line, value })
    fields['bits'] ??= bits ?? mostBitsOf(credential)
    fields['hash'] = hash('sha256', credential)
    fields['algorithm'] = 'sha256'
    fields['start'] ??= startOf(credential)
  } else if ((key ?? secret) !== undefined) {
    throw wrong(line, 'it has a key instead of a hash: hash it first, or have it hashed here with --plain')
  }
  fields['bits'] ??= bits
  if (fields['bits'] === undefined) {
    throw wrong(
      line,
      'it does not say how many random bits its secret has: add "bits", or set it for all lines with --bits',
    )
  }
  fields['algorithm'] ??= (typeof fields['hash'] === 'string' && decodeHash(fields['hash'])?.algorithm) || 'sha256'
  const read = Object.entries(fields).map(([name, member]) => [name, memberOf({ line, name, value: member })])
  const imported = Object.fromEntries(read) as ImportedKey<string>
  const { scopes } = imported as { readonly scopes?: unknown }
  if (scopeMap.size === 0 || !Array.isArray(scopes)) return imported
  const ours = imported.scopes.flatMap((scope) => scopeMap.get(scope) ?? [scope])
  return { ...imported, scopes: [...new Set(ours)] }
}

interface LooseMember {
  readonly line: number
  readonly name: string
  readonly value: unknown
}

/** A member as the keyring takes it. The keyring refuses an unknown member by its name. */
function memberOf({ line, name, value }: LooseMember): unknown {
  try {
    return (members.get(name) ?? asIs).fromFile(value)
  } catch (error) {
    // The message is "It must be …", as for a flag, or says what to write.
    const message = (error as Error).message.replace(/\.$/, '')
    throw wrong(line, message.startsWith('It ') ? name + message.slice('It'.length) : `${name}: ${message}`)
  }
}

/** The alphabets of keys, the smallest first. */
const alphabets = [/^[0-9]+$/, /^[0-9a-f]+$/, /^[0-9A-F]+$/, /^[a-z0-9]+$/, /^[A-Z0-9]+$/, /^[A-Za-z0-9]+$/, /^[!-~]+$/]
const sizes = [10, 16, 16, 36, 36, 62, 94]

/** The bits of a key if every character is random: an upper bound, because more cannot be known. */
function mostBitsOf(key: string): number {
  const alphabet = alphabets.findIndex((one) => one.test(key))
  return Math.floor(key.length * Math.log2(sizes[alphabet] ?? 94))
}

/** The start of an imported key that may be shown: enough to recognise it, and far too little to guess the rest. */
function startOf(key: string): string {
  return key.length < 24 ? '' : key.slice(0, 8)
}
