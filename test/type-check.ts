import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const root = dirname(import.meta.dirname)

/** Type-checks every `.ts` file of a folder within the repository, under its settings, and fails with what the compiler says. */
export async function typeCheck(folder: string): Promise<void> {
  const settings = {
    extends: join(root, 'tsconfig.json'),
    // The decorators of Nest are of this kind.
    compilerOptions: { experimentalDecorators: true },
    include: ['*.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } }
  const compiler = join(dirname(manifest), bin.tsc)
  const checked = promisify(execFile)(process.execPath, [compiler, '-p', folder], { timeout: 300_000 })
  await checked.catch(({ stdout }: { stdout: string }) => assert.fail(stdout))
}
