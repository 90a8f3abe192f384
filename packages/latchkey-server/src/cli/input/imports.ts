import { hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ImportedKey, KeyMembers } from 'latchkey'
import { decodeHash, weaknessOf } from 'latchkey'
import { keyFields } from '../key-fields.ts'
import type { Kind } from '../key-fields/kinds.ts'
import { timestamp } from '../key-fields/kinds.ts'
import type { Columns, LineFormat, LooseLine } from './lines.ts'
import { looseLines, wrong } from './lines.ts'
import type { System } from './systems.ts'
import { takenOver } from './systems.ts'

/** A key to import, with the number of its line. */
export interface KeyLine {
  readonly line: number
  readonly key: ImportedKey<string>
  /** What could not be taken over from the other system. */
  readonly losses: readonly string[]
}

/** A line whose key is weak, or has no place here. */
export interface RefusedLine {
  readonly line: number
  /** What is wrong with a key whose text is known. */
  readonly weakness?: string
  /** Why the key is left out. */
  readonly leftOut?: string
}

/** How to read the lines. */
export interface ImportFormat {
  readonly format: LineFormat
  /** The lines hold keys instead of hashes. Each key is hashed here, and only the hash is passed on. */
  readonly unhashed: boolean
  /** The random bits of each secret whose line does not have them. */
  readonly bits: number | undefined
  /** Scopes of the other system, each with the scopes that stand for it here. Others stay as they are. */
  readonly scopeMap: ReadonlyMap<string, readonly string[]>
  /** The other system whose rows these are. */
  readonly from: System | undefined
}

/**
 * Reads the keys of a file, one after the other.
 *
 * @throws Failure `usage`, which names the line and never shows its content.
 */
export async function* importLines(
  input: Readable,
  { format, unhashed, bits, scopeMap, from }: ImportFormat,
): AsyncGenerator<KeyLine | RefusedLine> {
  for await (const { line, value } of looseLines(input, format, from === undefined ? ourColumns : theirColumns)) {
    const taken = from === undefined ? { fields: value, losses: [] } : takenOver(from, { line, value })
    if ('leftOut' in taken) {
      yield { line, leftOut: taken.leftOut }
      continue
    }
    const { losses } = taken
    // What a system does by default is a guess, and who imports may know better.
    const fields = { ...taken.fields, ...(from === undefined || bits === undefined ? {} : { bits }) }
    const weakness = unhashed ? weaknessOf(credentialIn({ line, value: fields })) : undefined
    if (weakness !== undefined) yield { line, weakness }
    else yield { line, key: keyOf({ line, value: fields, unhashed, bits, scopeMap }), losses }
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

/** Our own columns; those of another system mean what that system says. */
const ourColumns: Columns = {
  mayBeEmpty: (name) => members.get(name)?.required === true,
  inParts: (name) => members.get(name)?.inParts === true,
}

/** An empty field is not the same as a column that is missing. */
const theirColumns: Columns = { mayBeEmpty: () => true, inParts: () => false }

const members: ReadonlyMap<string, FileMember> = new Map([
  ...keyFields.map(([member, { kind, required }]) => [member, { ...kind, required }] as const),
  ...Object.entries(others),
])

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
}: LooseLine & Pick<ImportFormat, 'unhashed' | 'bits' | 'scopeMap'>): ImportedKey<string> {
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
