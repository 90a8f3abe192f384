// Writes the commands and the exit codes of docs/guides/command-line.md from their own tables; a test fails while they
// differ. `npm run format` afterwards.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandSections, exitRows } from '../packages/latchkey-server/test/cli/guide.ts'

const page = join(import.meta.dirname, '..', 'docs', 'guides', 'command-line.md')
const [all = ''] = readFileSync(page, 'utf8').split('## Commands\n')
const written = all.replace(/(?<=\n## Exit codes\n\n)(?:\|.*\n)+/, `${exitRows()}\n`)
const sections = [...commandSections()].map(([name, text]) => `### \`${name}\`\n\n${text}`)
writeFileSync(page, `${written}## Commands\n\n${sections.join('\n')}`)
