import type { Command } from 'commander'
import { commandIn } from './command.ts'
import { Failure } from './exit.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { mustExist, serverOf, settingOptions, settingsOf } from './target.ts'
import { say } from './terminal/print.ts'
import { counted } from './terminal/progress.ts'

export function migrateCommand(program: Command): void {
  const command = commandIn(program, 'migrate', 'brings the tables of the database up to date; make a backup before')
  for (const option of settingOptions(['file'])) command.addOption(option)
  command.option('--json', 'JSON for programs').action(async (options: TargetOptions) => {
    if (serverOf(options) !== undefined) {
      throw new Failure('usage', 'A database is migrated beside it, not through a server: name it with --store.')
    }
    const { file } = settingsOf(options)
    mustExist(file, options)
    const [{ snapshotRows, systemClock }, { sqliteStore }] = await Promise.all([
      import('latchkey'),
      import('latchkey/store/sqlite'),
    ])
    const store = sqliteStore({ file })
    const { migrated } = store
    const told = await snapshotRows({ store, clock: systemClock })
    await store.close()
    if (options.json === true) return putReport({ file, steps: migrated, told })
    const tables = migrated === 0 ? 'was up to date' : `is up to date now, after ${counted(migrated, 'step')}`
    const rows =
      told === 0 ? '' : ` Its journal says now how ${counted(told, 'key or owner stands', 'keys and owners stand')}.`
    say(`${file} ${tables}.${rows}`)
  })
}
