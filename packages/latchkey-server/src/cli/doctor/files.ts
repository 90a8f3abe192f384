import type { Stats } from 'node:fs'
import { accessSync, constants, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { quoted } from '../advice.ts'
import type { Finding } from './finding.ts'
import { good, note, wrong } from './finding.ts'

/** Bytes below which a disk is nearly full: a database that cannot grow refuses every change. */
const littleSpace = 100 * 1024 * 1024

/** Who may read and write what has keys in it. Looks and changes nothing. */
export function fileFindings(file: string): readonly Finding[] {
  if (file === ':memory:') {
    const remedy = 'It is gone with the process: name a file in LATCHKEY_STORE.'
    return [note({ what: 'files', found: 'the database is in memory', remedy })]
  }
  const open: Finding[] = []
  const what = 'file modes'
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const status = statusOf(path)
    if (status !== undefined && (status.mode & 0o077) !== 0) {
      const found = `${path} is ${octal(status)}: others may read it`
      open.push(wrong({ what, found, remedy: 'Take that away from them.', commands: [`chmod 600 ${quoted(path)}`] }))
    }
    if (status !== undefined && isOthers(status)) {
      const remedy = 'Run as that user, or have the machine’s administrator give the file to this one.'
      open.push(wrong({ what, found: `${path} belongs to user ${status.uid}`, remedy }))
    }
  }
  const folder = dirname(file)
  const status = statusOf(folder)
  if (status !== undefined && (status.mode & 0o022) !== 0 && (status.mode & 0o1000) === 0) {
    const found = `${folder} is ${octal(status)}: others may put another file in its place`
    open.push(wrong({ what, found, remedy: 'Take that away from them.', commands: [`chmod go-w ${quoted(folder)}`] }))
  }
  const settings = statusOf('.env')
  if (settings !== undefined && (settings.mode & 0o077) !== 0) {
    const found = `.env is ${octal(settings)}: others may read the secrets in it`
    open.push(note({ what, found, remedy: 'Take that away from them.', commands: ['chmod 600 .env'] }))
  }
  return [
    ...(open.length === 0 ? [good(what, 'nobody else may read or write')] : open),
    ...writableFindings([file, folder]),
    spaceFinding(folder),
  ]
}

/** A file system that is read-only says so to everybody, also to those who may do everything. */
function writableFindings(paths: readonly string[]): readonly Finding[] {
  for (const path of paths) {
    try {
      accessSync(path, constants.W_OK)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const found =
        code === 'EROFS' ? `${path} is on a read-only file system` : `${path} cannot be written to (${code})`
      const remedy =
        code === 'EROFS' ? 'Mount it so that it can be written to.' : 'Run as the user that the server runs as.'
      return [wrong({ what: 'files', found: `${found}: every change fails`, remedy })]
    }
  }
  return []
}

function spaceFinding(folder: string): Finding {
  try {
    const { bavail, bsize } = statfsSync(folder)
    const found = `${Math.floor((bavail * bsize) / 1024 / 1024).toLocaleString('en-US')} MB left`
    return bavail * bsize < littleSpace
      ? wrong({ what: 'disk', found, remedy: 'Make room: a full disk refuses every change.' })
      : good('disk', found)
  } catch {
    return note({ what: 'disk', found: 'how much is left cannot be told', remedy: 'Look at it yourself.' })
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
