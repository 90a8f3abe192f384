import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes of the largest file that is read. No secret has more than 1,024 characters, and a certificate is not one. */
const most = 4096

/**
 * The secret in a setting: the variable itself, or what stands in the file that the same name with `_FILE` names, as
 * Docker, Kubernetes and systemd hand secrets over. The file is read once, and one line break at its end is no part of
 * the secret. `undefined` where neither is set; set to nothing counts as not set.
 *
 * @throws Error both are set; there is no such file, it cannot be read, it is a folder, pipe or device, is empty, larger
 *   than 4,096 bytes, or not in UTF-8. The message is one sentence that names the setting, and never what it is set to:
 *   that may be the secret itself, in the wrong place.
 *
 * @example const key = secretSetting('SERVICE_API_KEY', process.env)
 */
export function secretSetting(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const given = environment[name] || undefined
  const file = environment[`${name}_FILE`] || undefined
  if (file === undefined) return given
  if (given !== undefined) throw new Error(`${name} and ${name}_FILE are both set: set one of them.`)
  const fault = (why: string, cause?: unknown): Error =>
    new Error(`${name}_FILE must be the path of a file with the secret in it, ${why}.`, { cause })
  let bytes: Buffer | undefined
  try {
    bytes = bytesOf(file)
  } catch (error) {
    throw fault(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'and there is none' : 'and it cannot be read',
      error,
    )
  }
  if (bytes === undefined) throw fault('and what is there is no file')
  if (bytes.length > most) throw fault(`and that one has more than ${most} bytes`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '')
  } catch (error) {
    throw fault('and that one is not in UTF-8', error)
  }
  if (text === '') throw fault('and that one is empty')
  return text
}

/** At most one byte more than may be there; `undefined` for what is no file: a pipe would be waited for without end. */
function bytesOf(file: string): Buffer | undefined {
  const opened = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    if (!fstatSync(opened).isFile()) return undefined
    const buffer = Buffer.alloc(most + 1)
    let length = 0
    for (;;) {
      const read = readSync(opened, buffer, { offset: length })
      length += read
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } finally {
    closeSync(opened)
  }
}
