import type { Command, CommanderError } from 'commander'

/**
 * Says what is wrong with a command, and which command was probably meant: one that begins with the same letters, otherwise
 * one with a similar spelling (commander finds it), otherwise one of the same name in another place.
 */
export function explained(program: Command, words: readonly string[], { code, message }: CommanderError): string {
  const { command, unknown } = follow(program, words)
  // The help is printed already.
  if (code === 'commander.help') return '\nName a command.'
  const [fault = '', suggestion] = message.replace(/^error: /, '').split('\n')
  const isCommand = code === 'commander.unknownCommand'
  const meant = isCommand ? begunLike(command, unknown) : undefined
  const found =
    meant ?? suggestion?.replace(/^\((.*)\)$/, '$1') ?? (isCommand ? elsewhere(program, unknown) : undefined)
  return [inSentence(fault) + choicesOf(command, fault), found, `See ${pathOf(command)} --help.`]
    .filter(Boolean)
    .join('\n')
}

/** The values of a missing option, if there are only a few. */
function choicesOf({ options }: Command, fault: string): string {
  const [, flag] = /^required option '([^ ']+)/.exec(fault) ?? []
  const { argChoices = [] } = options.find(({ long }) => long === flag) ?? {}
  return argChoices.length === 0 ? '' : ` It must be one of ${argChoices.join(', ')}.`
}

/** The message of commander as a sentence that names the flag. */
function inSentence(fault: string): string {
  const forms: readonly (readonly [RegExp, string])[] = [
    [/^option '([^ ']+)[^']*' argument '([^]*)' is invalid\. ([^]*)$/, "The value '$2' of $1 is invalid. $3"],
    [
      /^command-argument value '([^]*)' is invalid for argument '(\w+)'\. ([^]*)$/,
      "The value '$1' of <$2> is invalid. $3",
    ],
    [/^option '([^ ']+) ?([^']*)' argument missing$/, '$1 needs a value: $2.'],
    [
      /^option '([^ ']+)[^']*' cannot be used with option '([^ ']+)[^']*'$/,
      '$1 and $2 exclude each other. Use one of them.',
    ],
    [/^required option '([^ ']+) ?([^']*)' not specified$/, 'Add $1 $2.'],
    [/^missing required argument '(\w+)'$/, 'Name the <$1>.'],
    [
      /^too many arguments for '[^']*'\. Expected (\d+) arguments? but got (\d+)(: [^]*)?\.$/,
      'Too many arguments$3. The command takes $1, and got $2.',
    ],
    [/^unknown (command|option) '([^]*)'$/, "Unknown $1 '$2'."],
  ]
  const form = forms.find(([pattern]) => pattern.test(fault))
  if (form !== undefined)
    return fault.replace(form[0], form[1]).replace('. Allowed choices are ', '. It must be one of ')
  return fault.charAt(0).toUpperCase() + fault.slice(1)
}

/** Turns `help` and a command, in any order, into `--help`; leaves other words as they are. */
export function wordsForHelp(program: Command, words: readonly string[]): readonly string[] {
  const { command, unknown } = follow(program, words)
  if (unknown !== 'help' || command.commands.length === 0) return words
  const asked = words.toSpliced(words.indexOf('help'), 1)
  // Help for a command that does not exist is an unknown command.
  return follow(program, asked).unknown === '' ? [...asked, '--help'] : asked
}

/** The command that the words lead to, and the first word that leads nowhere. */
function follow(program: Command, words: readonly string[]): { readonly command: Command; readonly unknown: string } {
  let command = program
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) return { command, unknown: word }
    command = next
  }
  return { command, unknown: '' }
}

function begunLike(command: Command, begun: string): string | undefined {
  const names = shown(command).flatMap((one) => (begun !== '' && one.name().startsWith(begun) ? [one.name()] : []))
  return names.length === 0 ? undefined : `Did you mean ${names.join(' or ')}?`
}

/** Commands of the same name in other places, otherwise with the same beginning, otherwise with a similar spelling. */
function elsewhere(program: Command, name: string): string | undefined {
  const commands = shown(program).flatMap(shown)
  const fits: readonly ((one: string) => boolean)[] = [
    (one) => one === name,
    (one) => name.length > 2 && one.startsWith(name),
    (one) => name.length > 2 && one.length > 2 && slips(one, name) <= (one.length > 5 ? 2 : 1),
  ]
  for (const fit of fits) {
    const found = commands.filter((one) => fit(one.name()))
    if (found.length > 0) return `Did you mean ${found.map(pathOf).join(' or ')}?`
  }
  return undefined
}

/** The number of typing errors between two words: a letter too many, too few, another one, or two swapped. */
function slips(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)]
  for (let at = 1; at <= one.length; at++) {
    const row = [at]
    const before = rows[at - 1] ?? []
    for (let index = 1; index <= other.length; index++) {
      const same = one[at - 1] === other[index - 1]
      const swapped = at > 1 && index > 1 && one[at - 1] === other[index - 2] && one[at - 2] === other[index - 1]
      row.push(
        Math.min(
          (before[index] ?? 0) + 1,
          (row[index - 1] ?? 0) + 1,
          (before[index - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (rows[at - 2]?.[index - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    rows.push(row)
  }
  return rows[one.length]?.[other.length] ?? 0
}

function shown(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command)
}

/** A command as it is typed. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
