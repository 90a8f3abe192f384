import type { Stats } from 'node:fs'
import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Finding } from './finding.ts'
import { good, note, wrong } from './finding.ts'

/** Bytes below which a disk is nearly full: a database that cannot grow refuses every change. */
const littleSpace = 100 * 1024 * 1024

/** Who may read and write what has keys in it. Looks and changes nothing. */
export function fileFindings(file: string): readonly Finding[] {
  if (file === ':memory:')
    return [note('files', 'the database is in memory', 'It is gone with the process: set LATCHKEY_STORE.')]
  const open: Finding[] = []
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statusOf(path)
    if (found !== undefined && (found.mode & 0o077) !== 0) {
      open.push(wrong('file modes', `${path} is ${octal(found)}: others may read it`, `chmod 600 ${path}`))
    }
    if (found !== undefined && isOthers(found)) {
      open.push(
        wrong('file modes', `${path} belongs to user ${found.uid}`, 'Run as that user, or give the file to this one.'),
      )
    }
  }
  const folder = statusOf(dirname(file))
  if (folder !== undefined && (folder.mode & 0o022) !== 0 && (folder.mode & 0o1000) === 0) {
    const path = dirname(file)
    open.push(
      wrong(
        'file modes',
        `${path} is ${octal(folder)}: others may put another file in its place`,
        `chmod go-w ${path}`,
      ),
    )
  }
  const settings = statusOf('.env')
  if (settings !== undefined && (settings.mode & 0o077) !== 0) {
    open.push(note('file modes', `.env is ${octal(settings)}: others may read the secrets in it`, 'chmod 600 .env'))
  }
  return [
    ...(open.length === 0 ? [good('file modes', 'nobody else may read or write')] : open),
    spaceFinding(dirname(file)),
  ]
}

function spaceFinding(folder: string): Finding {
  try {
    const { bavail, bsize } = statfsSync(folder)
    const left = `${Math.floor((bavail * bsize) / 1024 / 1024).toLocaleString('en-US')} MB left`
    return bavail * bsize < littleSpace
      ? wrong('disk', left, 'Make room: a full disk refuses every change.')
      : good('disk', left)
  } catch {
    return note('disk', 'how much is left cannot be told', 'Look at it yourself.')
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
