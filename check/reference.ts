// `npm run reference`: writes docs/reference/api from the doc comments of all that the packages export. With `--check` it
// writes nothing, and fails where the pages are not what the comments say.

import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultsOf } from './reference/faults.ts'
import { readPages } from './reference/model.ts'
import { renderPages } from './reference/render.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs', 'reference', 'api')

const pages = readPages(root)
const made = await renderPages(root, pages)
const kept = new Map(globSync('*.md', { cwd: folder }).map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
const changed = [...made].filter(([file, text]) => kept.get(file) !== text)
const gone = [...kept.keys()].filter((file) => !made.has(file))

const faults = [...faultsOf(pages)]
if (process.argv.includes('--check')) {
  const differing = [...changed.map(([file]) => file), ...gone]
  faults.push(
    ...differing.map((file) => `docs/reference/api/${file} is not what the doc comments say: npm run reference`),
  )
} else {
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of changed) writeFileSync(join(folder, file), text)
  for (const file of gone) rmSync(join(folder, file))
  console.log(`${changed.length + gone.length} of ${made.size} pages changed`)
}
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1
