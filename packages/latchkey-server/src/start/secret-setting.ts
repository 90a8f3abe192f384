import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes of the largest file that is read. No secret has more than 1,024 characters, and a certificate is not one. */
const most = 4096

/**
 * Reads a secret from the settings: from the variable, or from the file that the variable with `_FILE` at its end names, as
 * Docker, Kubernetes and systemd hand secrets over. `undefined` if neither is set; an empty variable counts as not set. The
 * file is read once, and one line break at its end does not belong to the secret.
 *
 * @throws Error when both are set, or when the file does not exist, cannot be read, is a folder, a pipe or a device, is
 *   empty, is larger than 4,096 bytes, or is not in UTF-8. The message names the setting and never its value, which may be
 *   the secret itself in the wrong place.
 *
 * @example const key = secretSetting('SERVICE_API_KEY', process.env)
 */
export function secretSetting(
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const value = environment[name] || undefined
  const file = environment[`${name}_FILE`] || undefined
  if (file === undefined) return value
  if (value !== undefined) throw new Error(`${name} and ${name}_FILE are both set: set one of them.`)
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

/**
 * Reads at most one byte more than allowed; `undefined` for anything but a file: reading a pipe could wait for ever.
 */
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
