import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { KeyPatch } from 'latchkey'
import { Failure } from '../exit.ts'
import { each } from '../input/flags.ts'
import { keyFields } from '../key-fields.ts'
import type { OptionValues, Members } from './field.ts'

/** Adds the options that set the fields of a key: the same ones to issue and to change it. */
export function addKeyOptions(command: Command): Command {
  for (const [, { options }] of keyFields) for (const option of options) command.addOption(option)
  return command
}

/** The fields in these options, as the keyring takes them. */
export function fieldsOf(options: OptionValues): KeyPatch<string> {
  const fields = keyFields.map(([member, field]) => {
    const value =
      field.fromOptions === undefined ? options[field.options[0].attributeName()] : field.fromOptions(options)
    return [member, value] as const
  })
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
}

/** The fields that `--clear` removes, by its words. */
const clearable: ReadonlyMap<string, keyof Members> = new Map(
  keyFields.flatMap(([member, { clear }]) => (clear === undefined ? [] : [[clear, member]])),
)

const clearWords = [...clearable.keys()]

/** The option that removes fields. */
export const clearOption = new Option('--clear <what>', 'Remove this from the key. Repeat the flag for more')
  .choices(clearWords)
  .argParser(each(clearWord))

function clearWord(text: string): string {
  if (!clearable.has(text)) throw new InvalidArgumentError(`It must be one of ${clearWords.join(', ')}.`)
  return text
}

/**
 * The patch for a key: a value for each field that is set, and `null` for each that is cleared.
 *
 * @param clear - words of `--clear`.
 * @throws Failure `usage` for a field that is set and cleared.
 */
export function patchOf(options: OptionValues, clear: readonly string[]): KeyPatch<string> {
  const patch = fieldsOf(options)
  const cleared = clear.flatMap((word) => [[clearable.get(word), null]] as const)
  const both = clear.find((word) => Object.hasOwn(patch, clearable.get(word) ?? ''))
  if (both !== undefined) throw new Failure('usage', `--clear ${both} removes what another flag sets. Use one of them.`)
  return { ...patch, ...(Object.fromEntries(cleared) as KeyPatch<string>) }
}
