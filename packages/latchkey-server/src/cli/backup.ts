import { existsSync, rmSync } from 'node:fs'
import type { Command } from 'commander'
import type { JournalReport } from 'latchkey'
import type { SqliteStore } from 'latchkey/store/sqlite'
import { commandIn } from './command.ts'
import { Failure } from './exit.ts'
import { faultText, patiently, wholeText } from './journal/verify.ts'
import type { TargetOptions } from './target.ts'
import { mustExist, serverOf, settingOptions, settingsOf } from './target.ts'
import { putJson, put } from './terminal/print.ts'
import { grouped, startProgress } from './terminal/progress.ts'

export function backupCommand(program: Command): void {
  const command = commandIn(
    program,
    'backup <file>',
    'copies the database into a new file, while everything goes on, and checks the copy',
  )
  for (const option of settingOptions(['file'])) command.addOption(option)
  command.option('--json', 'JSON for programs').action(async (copy: string, options: TargetOptions) => {
    if (serverOf(options) !== undefined) {
      throw new Failure('usage', 'A backup is made beside the database, not through a server: name it with --store.')
    }
    const { file } = settingsOf(options)
    mustExist(file, options)
    await copyTo(file, copy)
    const report = await checked(copy)
    if (report?.whole === false)
      throw new Failure('failed', `The copy was made, and it is as the original is. ${faultText(report)}`)
    if (options.json === true) return putJson({ file: copy, ...report })
    const older = 'Its tables are of an older version of Latchkey: its journal can be checked when it was migrated.'
    put(`${copy} is a copy that opens.\n${report === undefined ? older : wholeText(report)}`)
  })
}

async function copyTo(file: string, copy: string): Promise<void> {
  const taken = new Failure('conflict', `${copy} is there already, and nothing is written over.`)
  if (existsSync(copy)) throw taken
  const { backupSqlite } = await import('latchkey/store/sqlite')
  const progress = startProgress()
  // Half a copy is worse than none: it looks like one.
  const stop = (): void => {
    for (const end of ['', '-journal', '-wal', '-shm']) if (existsSync(copy + end)) rmSync(copy + end)
    process.exit(130)
  }
  process.once('SIGINT', stop)
  try {
    await backupSqlite({
      file,
      copy,
      progress: (left, total) => progress.at(`${grouped(total - left)} of ${grouped(total)} pages …`),
    })
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw taken
    if (syscall !== undefined) throw new Failure('failed', `${copy} cannot be written (${code}).`)
    if (code === 'ERR_SQLITE_ERROR') throw new Failure('failed', `${copy} cannot be written: ${message}.`)
    throw error
  } finally {
    process.removeListener('SIGINT', stop)
    progress.end()
  }
}

/** Opens the copy as a store and reads its journal to the end; `undefined` where its tables are of an older version. */
async function checked(copy: string): Promise<JournalReport | undefined> {
  const [{ openKeyring }, { sqliteStore }] = await Promise.all([import('latchkey'), import('latchkey/store/sqlite')])
  let store: SqliteStore
  try {
    store = sqliteStore({ file: copy, mode: 'read' })
  } catch (error) {
    if ((error as { readonly cause?: unknown }).cause === 'older schema') return undefined
    throw error
  }
  const keyring = await openKeyring({ store, scopes: {} })
  try {
    return await patiently('Checking the copy', keyring.verifyJournal())
  } finally {
    await keyring.close()
  }
}
