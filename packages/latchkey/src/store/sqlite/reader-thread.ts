// The program of the thread that reads, and that moves the log into the file: one question after the other.

import type { DatabaseSync } from 'node:sqlite'
import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { openBeside, openToCheckpoint } from './beside.ts'
import { isScrubbed, moveLog } from './checkpoints.ts'
import { isBusy } from './database.ts'
import type { Answered, Asked, Read } from './reader.ts'
import { readingOf } from './reading.ts'
import { statementsOf } from './statements.ts'
import { errorDataOf } from './error-data.ts'
import { transactionsOf } from './transactions.ts'

const { file, still } = workerData as Read
const database = openBeside(file, still)
const read = readingOf(statementsOf(database, file), transactionsOf(database))
let writer: DatabaseSync | undefined
/** Whether the pages were written anew, and the log could not be cut off yet. */
let isRewritten = false

parentPort?.on('message', ({ id, name, args }: Asked) => {
  if (name === 'close') {
    writer?.close()
    database.close()
    parentPort?.close()
    return
  }
  parentPort?.postMessage(answer(id, name, args), [])
})

function answer(id: number, name: Exclude<Asked['name'], 'close'>, args: readonly unknown[]): Answered {
  try {
    if (name === 'checkpoint') return { id, value: checkpoint() }
    if (name === 'scrub') return { id, value: scrub(args[0] as number) }
    return { id, value: read(name, args) }
  } catch (error) {
    return { id, error: errorDataOf(error) }
  }
}

/**
 * What was deleted is overwritten, but the engine leaves copies behind where it moves rows from one page to another. So all
 * pages are written anew, unless there are more bytes than may be: nobody else writes meanwhile.
 */
function scrub(most: number): boolean {
  writer ??= openToCheckpoint(file)
  // While it waits for a reader, nobody else writes.
  writer.exec('PRAGMA busy_timeout = 100')
  try {
    if (!isRewritten && statSync(file).size <= most) {
      writer.exec('VACUUM')
      isRewritten = true
    }
  } catch (error) {
    if (!isBusy(error)) throw error
  }
  if (!isScrubbed(writer) || !isRewritten) return false
  isRewritten = false
  return true
}

function checkpoint(): void {
  writer ??= openToCheckpoint(file)
  moveLog(writer)
}
