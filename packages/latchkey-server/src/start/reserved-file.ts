import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, ftruncateSync, linkSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** A file that has its place on the disk, but not yet its content and its name. */
export interface ReservedFile {
  /** Writes the content onto the disk. It must have no more bytes than were reserved. */
  readonly write: (content: string) => void
  /**
   * Gives the file its name. An existing file is never replaced.
   *
   * @throws Error whose message says where the content is instead.
   */
  readonly name: () => void
  /** Removes the file. */
  readonly discard: () => void
}

/**
 * Reserves a file that only its owner may read (mode 600), under another name until its content is complete. Every
 * likely fault shows here, before a secret exists: a missing folder, a full disk, a name that is taken.
 *
 * @param bytes - how many bytes the content may have.
 * @throws Error the system's error; with the code `EEXIST` if the name is taken.
 *
 * @example
 * const file = reserveFile('data/admin.key', 128)
 * file.write(secret)
 * file.name()
 */
export function reserveFile(path: string, bytes: number): ReservedFile {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw Object.assign(new Error(`${path} exists already.`), { code: 'EEXIST', syscall: 'open', path })
  }
  const part = `${path}.${randomUUID().slice(0, 8)}.part`
  const opened = openSync(part, 'wx', 0o600)
  const discard = (): void => {
    closeSync(opened)
    rmSync(part, { force: true })
  }
  try {
    writeWhole(opened, Buffer.alloc(bytes, ' '))
  } catch (error) {
    discard()
    throw error
  }
  return {
    discard,
    write(content) {
      const all = Buffer.from(content)
      writeWhole(opened, all)
      ftruncateSync(opened, all.length)
      fsyncSync(opened)
    },
    name() {
      closeSync(opened)
      try {
        // Unlike a rename, this fails if the name is taken by now.
        linkSync(part, path)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        throw new Error(`${path} cannot be made (${code}). What it was to hold is in ${part}.`, { cause: error })
      }
      rmSync(part)
      syncFolder(dirname(path))
    },
  }
}

/** From the start of the file, and onto the disk. */
function writeWhole(file: number, content: Buffer): void {
  for (let done = 0; done < content.length;) done += writeSync(file, content, done, content.length - done, done)
  fsyncSync(file)
}

/** A name is kept where its folder is. Windows keeps it by itself. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const opened = openSync(folder, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}
