import type { Command, Option } from 'commander'
import { Argument } from 'commander'
import { commandIn } from './command.ts'
import { put } from './terminal/print.ts'

/** Each script asks the program itself, so that it always offers the present commands. */
const scripts = {
  bash: `_latchkey() {
  local IFS=$'\\n'
  COMPREPLY=($(latchkey complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _latchkey latchkey`,
  zsh: `#compdef latchkey
_latchkey() {
  local -a found
  found=("\${(@f)$(latchkey complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _latchkey latchkey`,
  fish: `complete -c latchkey -f -a '(latchkey complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
} as const

export function completionCommand(program: Command): void {
  commandIn(program, 'completion', 'Print a completion script. To load it: source <(latchkey completion bash)')
    .addArgument(new Argument('<shell>', 'Shell to print it for').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => put(scripts[shell]))
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action((words: readonly string[]) => {
      for (const word of completions(program, words)) put(word)
    })
}

/**
 * The words that can complete the last one.
 *
 * @param words - the words after `latchkey`; the last one may be empty.
 */
export function completions(program: Command, words: readonly string[]): readonly string[] {
  const begun = words.at(-1) ?? ''
  let command = program
  let awaiting: Option | undefined
  for (const word of words.slice(0, -1)) {
    if (awaiting !== undefined) awaiting = undefined
    else if (word.startsWith('-')) awaiting = command.options.find((option) => option.long === word && option.required)
    else command = command.commands.find((one) => one.name() === word) ?? command
  }
  const fits = (candidates: readonly string[]): readonly string[] => candidates.filter((one) => one.startsWith(begun))
  if (awaiting !== undefined) return fits(awaiting.argChoices ?? [])
  if (begun.startsWith('-'))
    return fits(['--help', ...command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []))])
  const shown = command.createHelp().visibleCommands(command)
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  return fits([...shown.map((one) => one.name()), ...choices])
}
