import type { Command } from 'commander'
import { isInUse, openStore } from '../store.ts'
import { databaseCommand, databaseOf } from './command.ts'
import { Failure } from './exit.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { say } from './terminal/print.ts'
import { grouped, startProgress } from './terminal/progress.ts'

interface Options extends TargetOptions {
  readonly inUse?: boolean
}

const megabyte = 1_000_000

export function scrubCommand(program: Command): void {
  databaseCommand(
    program,
    'scrub',
    'Write the database anew, so that nothing of what was erased or purged is left in its file. Nobody else can write meanwhile: about a second for each 64 MB. It needs twice as much free space as the file has',
  )
    .option('--in-use', 'Also while other processes have the database open')
    .action(async (options: Options) => {
      const address = databaseOf(options, 'scrub')
      if (options.inUse !== true && (await isInUse(address))) {
        const message = 'Another process has the database open, and could not write meanwhile: changes would fail.'
        throw new Failure('conflict', `${message} Stop it first, or add --in-use at a quiet time.`)
      }
      const store = await openStore(address, 'write')
      const progress = startProgress()
      try {
        const cleared = await store.rewrite((written, total) => {
          progress.at(`Writing … ${inMegabytes(written)} of ${inMegabytes(total)} MB`)
        })
        progress.end()
        if (!cleared) {
          const message =
            'It was written anew, but the log of before is still there: a program reads from it at present.'
          throw new Failure('conflict', `${message} Run the command again.`)
        }
        if (options.json === true) putReport({ cleared })
        else say('Nothing of what was erased or purged is left in the database. Backups made before still have it.')
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        if (code === 'ERR_SQLITE_ERROR') throw new Failure('failed', `It cannot be written anew: ${message}.`)
        throw error
      } finally {
        progress.end()
        await store.close()
      }
    })
}

function inMegabytes(bytes: number): string {
  return grouped(Math.round(bytes / megabyte))
}
