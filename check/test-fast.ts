// `npm run test:fast` and `npm run test:watch`: the tests of the library and of the server that start no other program.
// Arguments are passed on to Node: `npm run test:fast -- --test-name-pattern revoke`.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { testSets } from '../test/sets.ts'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(
  process.execPath,
  ['--conditions=@latchkey/source', '--test', ...process.argv.slice(2), ...testSets().fast],
  {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled') },
    stdio: 'inherit',
  },
)
process.exitCode = status ?? 1
