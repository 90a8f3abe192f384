import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'

const root = join(import.meta.dirname, '../../../..')

// Where `latchkey` is found as users would find it, and where neither git nor a check looks.
const folder = temporaryFolder('types', { within: join(root, 'dist') })

/** What the compiler says of a line, in which `requires` knows two scopes. */
async function toldOf(line: string): Promise<string> {
  const source = `
    import type { FastifyGuard } from 'latchkey/guard/fastify'
    declare const requires: FastifyGuard<'rooms:read' | 'rooms:write'>['requires']
    ${line}`
  writeFileSync(join(folder, 'line.ts'), source)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['*.ts'] }),
  )
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const { bin } = createRequire(import.meta.url)(manifest) as { bin: { tsc: string } }
  const checked = promisify(execFile)(process.execPath, [join(dirname(manifest), bin.tsc), '-p', folder])
  return checked.then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
}

test('a misspelt scope is told which scopes there are', async () => {
  const told = await toldOf(`requires('rooms:reed')`)
  assert.match(told, /"rooms:reed"' is not assignable to .*"rooms:read" \| "rooms:write"/)
  assert.ok(!told.includes('RequiresOptions'), told)
})

test('a route that asks for nothing does not compile', async () => {
  assert.notEqual(await toldOf('requires()'), '')
  assert.notEqual(await toldOf('requires(...([] as "rooms:read"[]))'), '')
})
