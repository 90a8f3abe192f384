import { existsSync, renameSync, rmSync } from 'node:fs'
import type { Command } from 'commander'
import type { JournalReport } from 'latchkey'
import type { OpenStore } from '../store.ts'
import { copyStore, openStore, storeIn } from '../store.ts'
import { databaseCommand, databaseOf } from './command.ts'
import { exits, Failure } from './exit.ts'
import { faultText, isUntold, patiently, intactText } from './journal/verify.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { put } from './terminal/print.ts'
import { grouped, startProgress } from './terminal/progress.ts'

export function backupCommand(program: Command): void {
  databaseCommand(
    program,
    'backup <file>',
    'copies the database into a new file, while everything goes on, and checks the copy',
  ).action(async (copy: string, options: TargetOptions) => {
    const store = databaseOf(options, 'A backup is made')
    const report = await copyChecked(store, copy)
    if (report?.intact === false && !isUntold(report))
      throw new Failure('failed', `The copy was made, and it is as the original is. ${faultText(report)}`)
    if (options.json === true) return putReport({ file: copy, ...report })
    const older = 'Its tables are of an older version of Latchkey: its journal can be checked when it was migrated.'
    const untold =
      'Its journal is whole, and does not say yet how keys and owners stood that an older version wrote: latchkey migrate.'
    put(`${copy} is a copy that opens.\n${report === undefined ? older : report.intact ? intactText(report) : untold}`)
  })
}

/**
 * Copies and checks under another name: half a copy, or one that nobody has checked, must not look like a backup, however
 * this ends.
 */
async function copyChecked(store: string, copy: string): Promise<JournalReport | undefined> {
  if (existsSync(copy)) throw new Failure('conflict', `${copy} is there already, and nothing is written over.`)
  const part = `${copy}.part`
  const undone = new Failure(
    'conflict',
    `${part} is there already: another backup is under way, or one was cut off. If none is, remove it.`,
  )
  if (existsSync(part)) throw undone
  const remove = (): void => {
    for (const end of ['', '-journal', '-wal', '-shm']) if (existsSync(part + end)) rmSync(part + end)
  }
  const stop = (signal: NodeJS.Signals): void => {
    remove()
    if (signal === 'SIGINT') process.exit(exits.stopped.code)
    // It ends as it would have ended by itself.
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

/** What tells a process to end, and can be heard. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function copyTo(store: string, part: string): Promise<void> {
  const progress = startProgress()
  try {
    await copyStore(store, {
      to: part,
      progress: (left, total) => progress.at(`${grouped(total - left)} of ${grouped(total)} pages …`),
    })
  } finally {
    progress.end()
  }
}

/** Opens the copy as a store and reads its journal to the end; `undefined` where its tables are of an older version. */
async function checked(copy: string): Promise<JournalReport | undefined> {
  const { openKeyring } = await import('latchkey')
  let store: OpenStore
  try {
    store = await openStore(storeIn(copy), 'read')
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
