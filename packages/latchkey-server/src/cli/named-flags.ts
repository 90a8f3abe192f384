import { keyFields } from './key-fields.ts'
import { serverFaults } from './server-faults.ts'

/** The flags for the fields of a key, by the names of the library. A part of a field may have its own flag. */
const flagsOfFields: ReadonlyMap<string, string> = new Map(
  keyFields.flatMap(([member, { options, parts = {} }]) => [
    [member, options[0].long ?? member] as const,
    ...Object.entries(parts).map(([part, flag]) => [`${member}.${part}`, flag] as const),
  ]),
)

/** Names of the library that differ from the names of options. */
const others: Readonly<Record<string, string>> = { ip: 'address', allOf: 'scope', anyOf: 'anyScope' }

/**
 * Rewrites an error on a value that was typed: it names the flag instead of the name that the library or a server has for
 * it. Any other error stays as it is.
 *
 * @param options - the options of the command, by their names.
 */
export function inFlags(error: unknown, options: object): unknown {
  if (!(error instanceof Error) || (error as { readonly code?: unknown }).code !== 'invalid_input') return error
  const sentences = serverFaults(error.message).map(({ path, must }) => {
    const [name = '', ...rest] = path
    return sentence({ name, rest, must }, options) ?? `${path.join('.')} ${must}.`
  })
  const [, name = '', rest = '', must = ''] = /^([a-z]\w*)((?:\[\d+\]|\.\w+)*) (must [^]*)\.$/.exec(error.message) ?? []
  const one = sentence({ name, rest: rest.split(/[[\].]+/).filter(Boolean), must }, options)
  // The error object stays the same, because its code decides how the command ends.
  error.message = sentences.length > 0 ? sentences.join('\n') : (one ?? error.message)
  return error
}

/** What is wrong with one value. */
interface Wrong {
  /** Its name in the library. */
  readonly name: string
  /** Which part of it: numbers and names. */
  readonly rest: readonly string[]
  readonly must: string
}

function sentence({ name, rest, must }: Wrong, options: object): string | undefined {
  const own = others[name] ?? name
  const [first = '', ...more] = rest
  const ofPart = flagsOfFields.get(`${name}.${first}`)
  const flag = ofPart ?? (Object.hasOwn(options, own) ? flagOf(own) : flagsOfFields.get(name))
  if (flag === undefined) return undefined
  const parts = (ofPart === undefined ? rest : more).map((part) => {
    return /^\d+$/.test(part) ? ` number ${Number(part) + 1}` : `: ${part}`
  })
  return `${flag}${parts.join('')} ${inWords(must)}.`
}

function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The rest of the sentence for a command line, where nothing is null and other fields are flags too. */
function inWords(must: string): string {
  return must
    .replace(/^must be null/, 'must be left out')
    .replace(/, or null.*/, '')
    .replaceAll(/\b[a-z]+[A-Z]\w*\b/g, (name) => flagsOfFields.get(name) ?? name)
}
