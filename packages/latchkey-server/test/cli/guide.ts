import type { Command } from 'commander'
import { exits } from '../../src/cli/exit.ts'
import { pathOf } from '../../src/cli/nearest.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { commonHeading } from '../../src/cli/target.ts'

/** What the guide must have for each command: its help, in a block of text; and once, what most of them take. */
export function commandSections(): ReadonlyMap<string, string> {
  const sections = new Map<string, string>()
  let shared = ''
  for (const command of leaves(buildProgram('0.0.0'))) {
    command.configureOutput({ getOutHelpWidth: () => 100 })
    const [own = '', more] = command.helpInformation().split(`\n${commonHeading}`)
    if (pathOf(command) === 'latchkey keys show') shared = more ?? ''
    sections.set(pathOf(command), block(more === undefined ? own : `${own.trimEnd()}\n\n(and those for every keyring)`))
  }
  return new Map([...sections, ['every keyring', block(shared)]])
}

function block(text: string): string {
  return `\`\`\`text\n${text.replace(/^\n+/, '').trimEnd()}\n\`\`\`\n`
}

/** The exit codes as a table. */
export function exitRows(): string {
  const rows = Object.values(exits).map(({ code, means }) => `| ${code} | ${means} |`)
  return ['| code | means |', '| --- | --- |', ...rows].join('\n')
}

function leaves(command: Command): readonly Command[] {
  const shown = command.createHelp().visibleCommands(command)
  return shown.length === 0 ? [command] : shown.flatMap(leaves)
}
