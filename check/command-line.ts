// Writes the commands of docs/guides/command-line.md from their own help; a test fails while they differ.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandSections } from '../packages/latchkey-server/test/cli/guide.ts'

const page = join(import.meta.dirname, '..', 'docs', 'guides', 'command-line.md')
const [written = ''] = readFileSync(page, 'utf8').split('## Commands\n')
const sections = [...commandSections()].map(([name, text]) => `### \`${name}\`\n\n${text}`)
writeFileSync(page, `${written}## Commands\n\n${sections.join('\n')}`)
