import type { Command } from 'commander'
import { fileOf, openStore } from '../store.ts'
import { databaseCommand, databaseOf } from './command.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { say } from './terminal/print.ts'
import { counted } from './terminal/progress.ts'

export function migrateCommand(program: Command): void {
  databaseCommand(program, 'migrate', 'Bring the tables of the database up to date. Make a backup first').action(
    async (options: TargetOptions) => {
      const address = databaseOf(options, 'migrate')
      const file = fileOf(address)
      const { snapshotRows, systemClock } = await import('latchkey')
      const store = await openStore(address)
      const { migrated } = store
      const recorded = await snapshotRows({ store, clock: systemClock })
      await store.close()
      if (options.json === true) return putReport({ file, steps: migrated, recorded })
      const tables = migrated === 0 ? 'was already up to date' : `is now up to date, after ${counted(migrated, 'step')}`
      const rows =
        recorded === 0
          ? ''
          : ` Its journal now records ${counted(recorded, 'key or owner', 'keys and owners')} that an older version wrote.`
      say(`${file} ${tables}.${rows}`)
    },
  )
}
