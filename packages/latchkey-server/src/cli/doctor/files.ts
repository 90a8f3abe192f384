import type { Stats } from 'node:fs'
import { accessSync, constants, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { quoted } from '../advice.ts'
import type { Finding } from './finding.ts'
import { fail, ok, warn } from './finding.ts'

/** Below this number of free bytes a disk is nearly full: a database that cannot grow refuses every change. */
const littleSpace = 100 * 1024 * 1024

/** Checks who may read and write the database. Changes nothing. */
export function fileFindings(file: string): readonly Finding[] {
  if (file === ':memory:') {
    const remedy = 'Name a file in LATCHKEY_STORE.'
    return [warn({ what: 'files', found: 'the database is in memory, and is lost when the process ends', remedy })]
  }
  const open: Finding[] = []
  const what = 'file modes'
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const status = statusOf(path)
    if (status !== undefined && (status.mode & 0o077) !== 0) {
      const found = `${path} has mode ${octal(status)}: other users may read or write it`
      open.push(fail({ what, found, remedy: 'Restrict it to its owner:', commands: [`chmod 600 ${quoted(path)}`] }))
    }
    if (status !== undefined && isOthers(status)) {
      const remedy = 'Run as that user, or make this user the owner of the file.'
      open.push(fail({ what, found: `${path} belongs to user ${status.uid}`, remedy }))
    }
  }
  const folder = dirname(file)
  const status = statusOf(folder)
  if (status !== undefined && (status.mode & 0o022) !== 0 && (status.mode & 0o1000) === 0) {
    const found = `${folder} has mode ${octal(status)}: other users may replace the database`
    open.push(
      fail({ what, found, remedy: 'Let only its owner write to it:', commands: [`chmod go-w ${quoted(folder)}`] }),
    )
  }
  const settings = statusOf('.env')
  if (settings !== undefined && (settings.mode & 0o077) !== 0) {
    const found = `.env has mode ${octal(settings)}: other users may read the secrets in it`
    open.push(warn({ what, found, remedy: 'Restrict it to its owner:', commands: ['chmod 600 .env'] }))
  }
  return [
    ...(open.length === 0 ? [ok(what, 'only their owner may read or write')] : open),
    ...writableFindings([file, folder]),
    spaceFinding(folder),
  ]
}

/** A read-only file system refuses every user, also the superuser. */
function writableFindings(paths: readonly string[]): readonly Finding[] {
  for (const path of paths) {
    try {
      accessSync(path, constants.W_OK)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const found =
        code === 'EROFS' ? `${path} is on a read-only file system` : `${path} cannot be written to (${code})`
      const remedy = code === 'EROFS' ? 'Mount it writable.' : 'Run as the user that the server runs as.'
      return [fail({ what: 'files', found: `${found}: every change fails`, remedy })]
    }
  }
  return []
}

function spaceFinding(folder: string): Finding {
  try {
    const { bavail, bsize } = statfsSync(folder)
    const found = `${Math.floor((bavail * bsize) / 1024 / 1024).toLocaleString('en-US')} MB free`
    return bavail * bsize < littleSpace
      ? fail({ what: 'disk', found, remedy: 'Free some space: on a full disk every change fails.' })
      : ok('disk', found)
  } catch {
    return warn({
      what: 'disk',
      found: 'the free space is not known',
      remedy: 'Check it yourself, for instance with df.',
    })
  }
}

function statusOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(3, '0')
}

function isOthers({ uid }: Stats): boolean {
  const own = process.getuid?.()
  return own !== undefined && own !== 0 && own !== uid
}
