// `npm test`, `npm run test:fast`, `npm run test:watch` and `npm run coverage`. Further arguments are passed on to Node:
// `npm run test:fast -- --test-name-pattern revoke`.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { runs } from '../test/sets.ts'

const root = join(import.meta.dirname, '..')
const [what = '', ...more] = process.argv.slice(2)
const chosen = runs[what]
if (chosen === undefined) throw new Error(`Name what to run: ${Object.keys(runs).join(', ')}.`)
for (const { options, files } of chosen) {
  const values = ['--conditions=@latchkey/source', '--test', '--test-timeout=900000', ...options, ...more, ...files]
  const { status } = spawnSync(process.execPath, values, {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled') },
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = status ?? 1
}
