import type { Command } from 'commander'
import type { StoreOptions } from '../store.ts'
import { openStore, placeOf } from '../store.ts'
import { databaseCommand, databaseOf } from './command.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { say } from './terminal/print.ts'
import { counted } from './terminal/progress.ts'

/** Tells of each step, and at once of the first: nothing else can be written while it goes on. */
function telling(file: string): NonNullable<StoreOptions['onMigration']> {
  let began = false
  return ({ step, steps }) => {
    if (!began) say(`Bringing the tables of ${file} up to date. With very many keys this takes minutes.`)
    began = true
    if (process.stderr.isTTY) say(`  step ${step} of ${steps}`)
  }
}

export function migrateCommand(program: Command): void {
  databaseCommand(program, 'migrate', 'Bring the tables of the database up to date. Make a backup first').action(
    async (options: TargetOptions) => {
      const address = databaseOf(options, 'migrate')
      const file = placeOf(address)
      const { snapshotRows, systemClock } = await import('latchkey')
      const store = await openStore(address, 'migrate', { onMigration: telling(file), readerThread: false })
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
