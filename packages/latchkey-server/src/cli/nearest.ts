import type { Command, CommanderError } from 'commander'

/**
 * What is wrong with a command, and what was probably meant: those that begin like a half-typed one, otherwise those that
 * are spelt like it (commander names them), otherwise those of the same name elsewhere.
 */
export function explained(program: Command, words: readonly string[], { code, message }: CommanderError): string {
  const { command, unknown } = follow(program, words)
  const path = pathOf(command)
  if (code === 'commander.help') return `Say which command.\nSee ${path} --help.`
  const [fault = '', suggestion] = message.replace(/^error: /, '').split('\n')
  const meant = code === 'commander.unknownCommand' ? begunLike(command, unknown) : undefined
  const found = meant ?? suggestion ?? (code === 'commander.unknownCommand' ? elsewhere(program, unknown) : undefined)
  return [`${fault.charAt(0).toUpperCase()}${fault.slice(1)}`, found, `See ${path} --help.`].filter(Boolean).join('\n')
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
  return names.length === 0 ? undefined : `(Did you mean ${names.join(' or ')}?)`
}

function elsewhere(program: Command, name: string): string | undefined {
  const found = shown(program)
    .flatMap(shown)
    .filter((one) => one.name() === name)
  return found.length === 0 ? undefined : `(Did you mean ${found.map(pathOf).join(' or ')}?)`
}

function shown(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command)
}

/** A command as it is typed. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
