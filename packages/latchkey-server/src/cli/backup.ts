import { existsSync, renameSync, rmSync } from 'node:fs'
import type { Command } from 'commander'
import type { JournalReport } from 'latchkey'
import type { OpenStore } from '../store.ts'
import { copyStore, openStore, storeIn } from '../store.ts'
import { databaseCommand, databaseOf } from './command.ts'
import { exits, Failure } from './exit.ts'
import { faultText, intactText, isUntold } from './journal/report.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { putText } from './terminal/print.ts'
import { grouped, patiently, startProgress } from './terminal/progress.ts'

export function backupCommand(program: Command): void {
  databaseCommand(
    program,
    'backup <file>',
    'Copy the database into a new file while it is in use, and check the copy',
  ).action(async (copy: string, options: TargetOptions) => {
    const store = databaseOf(options, 'backup')
    const report = await copyChecked(store, copy)
    if (report?.intact === false && !isUntold(report))
      throw new Failure('failed', `The copy was made, and has the same fault as the original. ${faultText(report)}`)
    if (options.json === true) return putReport({ file: copy, ...report })
    const older = 'Its tables are from an older version of Latchkey. Its journal can be checked after latchkey migrate.'
    const unrecorded =
      'Its journal is intact, but does not record all keys and owners that an older version wrote. Run latchkey migrate.'
    putText(
      `${copy} is a complete copy, and it opens.\n${report === undefined ? older : report.intact ? intactText(report) : unrecorded}`,
    )
  })
}

/**
 * Copies and checks under another name, so that an incomplete or unchecked copy never looks like a backup.
 */
async function copyChecked(store: string, copy: string): Promise<JournalReport | undefined> {
  if (existsSync(copy))
    throw new Failure('conflict', `${copy} exists already, and a backup overwrites nothing. Name another file.`)
  const part = `${copy}.part`
  const undone = new Failure(
    'conflict',
    `${part} exists already: another backup is running, or one was interrupted. If none is running, remove that file.`,
  )
  if (existsSync(part)) throw undone
  const remove = (): void => {
    for (const end of ['', '-journal', '-wal', '-shm']) if (existsSync(part + end)) rmSync(part + end)
  }
  const stop = (signal: NodeJS.Signals): void => {
    remove()
    if (signal === 'SIGINT') process.exit(exits.stopped.code)
    // Now the signal ends the process in the usual way.
    process.removeListener(signal, stop)
    process.kill(process.pid, signal)
  }
  for (const signal of signals) process.on(signal, stop)
  try {
    await copyTo(store, part)
    const report = await checked(part)
    renameSync(part, copy)
    return report
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw undone
    remove()
    if (syscall !== undefined) throw new Failure('failed', `${copy} cannot be written (${code}).`)
    if (code === 'ERR_SQLITE_ERROR') throw new Failure('failed', `${copy} cannot be made: ${message}.`)
    throw error
  } finally {
    for (const signal of signals) process.removeListener(signal, stop)
  }
}

/** The signals that end a process and can be handled. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function copyTo(store: string, part: string): Promise<void> {
  const progress = startProgress()
  try {
    await copyStore(store, {
      to: part,
      progress: (left, total) => progress.at(`Copying … ${grouped(total - left)} of ${grouped(total)} pages`),
    })
  } finally {
    progress.end()
  }
}

/** Opens the copy and verifies its journal; `undefined` if its tables are from an older version. */
async function checked(copy: string): Promise<JournalReport | undefined> {
  const { openKeyring } = await import('latchkey')
  let store: OpenStore
  try {
    store = await openStore(storeIn(copy), 'read', { readerThread: false })
  } catch (error) {
    if ((error as { readonly cause?: unknown }).cause === 'older schema') return undefined
    throw error
  }
  const keyring = await openKeyring({ store })
  try {
    return await patiently('Checking the copy', keyring.verifyJournal({ rows: true }))
  } finally {
    await keyring.close()
  }
}
