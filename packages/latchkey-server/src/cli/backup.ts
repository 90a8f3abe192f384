import { existsSync, rmSync } from 'node:fs'
import type { Command } from 'commander'
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
    mustExist(file)
    await copyTo(file, copy)
    const report = await checked(copy)
    if (!report.whole)
      throw new Failure('failed', `The copy was made, and it is as the original is. ${faultText(report)}`)
    if (options.json === true) return putJson({ file: copy, ...report })
    put(`${copy} is a copy that opens.\n${wholeText(report)}`)
  })
}

async function copyTo(file: string, copy: string): Promise<void> {
  const taken = new Failure('conflict', `${copy} is there already, and nothing is written over.`)
  if (existsSync(copy)) throw taken
  const { sqliteStore } = await import('latchkey/store/sqlite')
  const store = sqliteStore({ file })
  const progress = startProgress()
  // Half a copy is worse than none: it looks like one.
  const remove = (): void => {
    for (const end of ['', '-journal', '-wal', '-shm']) if (existsSync(copy + end)) rmSync(copy + end)
  }
  const stop = (): void => {
    remove()
    process.exit(130)
  }
  process.once('SIGINT', stop)
  try {
    await store.backup(copy, (left, total) => {
      progress.at(`${grouped(total - left)} of ${grouped(total)} pages …`)
    })
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw taken
    remove()
    if (syscall !== undefined) throw new Failure('failed', `${copy} cannot be written (${code}).`)
    if (code === 'ERR_SQLITE_ERROR') throw new Failure('failed', `${copy} cannot be written: ${message}.`)
    throw error
  } finally {
    process.removeListener('SIGINT', stop)
    progress.end()
    await store.close()
  }
}

/** Opens the copy as a store and reads its journal to the end. */
async function checked(copy: string) {
  const [{ openKeyring }, { sqliteStore }] = await Promise.all([import('latchkey'), import('latchkey/store/sqlite')])
  const keyring = await openKeyring({ store: sqliteStore({ file: copy }), scopes: {} })
  try {
    return await patiently('Checking the copy', keyring.verifyJournal())
  } finally {
    await keyring.close()
  }
}
