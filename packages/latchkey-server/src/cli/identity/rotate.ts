import { chmodSync, chownSync, existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { Option } from 'commander'
import { settingsTable } from '../../config.ts'
import type { IdentityKeys } from '../../identity/key-file.ts'
import { issuerPattern, makeIdentityKey, readIdentityFile, textOfIdentityKeys } from '../../identity/key-file.ts'
import { neededKeys, publishedBefore, signingKey } from '../../identity/rotation.ts'
import { reserveFile } from '../../start.ts'
import { commandIn } from '../command.ts'
import { Failure } from '../exit.ts'
import { putReport } from '../json.ts'
import { say } from '../terminal/print.ts'

interface RotateOptions {
  readonly identityFile?: string
  readonly issuer?: string
  readonly compromised?: boolean
  readonly json?: boolean
}

/** Bytes that a file with the most keys has. */
const room = 16_384

export function rotateCommand(parent: Command): void {
  const { flag, variable } = settingsTable.identity
  commandIn(
    parent,
    'rotate',
    'Make a new key that signs identities. It signs ten minutes later, when all services know it; the first one at once',
  )
    .addOption(new Option(flag, 'The file with the keys').env(variable))
    .option('--issuer <text>', 'Who issues the identities, for a new file (latchkey)')
    .option('--compromised', 'Remove all other keys: the new one signs at once, and services must read it first')
    .option('--json', 'Print JSON')
    .action(rotate)
}

function rotate({ identityFile: file, issuer, compromised = false, json = false }: RotateOptions): void {
  if (file === undefined) {
    throw new Failure('usage', 'Name the file: --identity-file, or LATCHKEY_IDENTITY_FILE.')
  }
  if (issuer !== undefined && !issuerPattern.test(issuer)) {
    throw new Failure('usage', '--issuer must be 1 to 120 visible ASCII characters without a space.')
  }
  const now = Date.now()
  const known = existsSync(file) ? read(file, now, compromised) : undefined
  if (known !== undefined && issuer !== undefined && issuer !== known.issuer) {
    throw new Failure('conflict', 'The file has another issuer, which services know. Leave --issuer out.')
  }
  const made = makeIdentityKey(now)
  const all: IdentityKeys['keys'] = known === undefined || compromised ? [made] : [...known.keys, made]
  const keys = { issuer: known?.issuer ?? issuer ?? 'latchkey', keys: neededKeys(all, now) }
  if (known === undefined) make(file, textOfIdentityKeys(keys))
  else replace(file, textOfIdentityKeys(keys))
  const signsFrom = signingKey(keys, now) === made ? now : now + publishedBefore
  const from = new Date(signsFrom).toISOString()
  if (json) return putReport({ file, kid: made.public.kid, signsFrom: from, keys: keys.keys.length })
  const when = signsFrom === now ? 'signs from now on' : `signs from ${from} on`
  say(`The key ${made.public.kid} in ${file} ${when}.`)
}

/** @throws Failure if the file is none of ours, or has a key that does not sign yet. */
function read(file: string, now: number, compromised: boolean): IdentityKeys {
  const { found, must } = readIdentityFile(file)
  if (found === undefined) throw new Failure('failed', `The identity file must be ${must}.`)
  const newest = found.keys.at(-1)
  if (!compromised && newest !== undefined && signingKey(found, now) !== newest) {
    const from = new Date(newest.createdAt + publishedBefore).toISOString()
    throw new Failure('conflict', `There is a new key already, and it signs from ${from} on.`)
  }
  return found
}

function make(file: string, text: string): void {
  const reserved = reserveFile(file, room)
  try {
    reserved.write(text)
  } catch (error) {
    reserved.discard()
    throw error
  }
  reserved.name()
}

/**
 * A reader finds the old file or the new one, and nothing between. Where a link leads, whoever reads the file by another name
 * finds the new one too; and whoever could read the old one can read the new one, also if root has replaced it.
 */
function replace(link: string, text: string): void {
  const file = realpathSync(link)
  const { uid, gid, mode } = statSync(file)
  const next = `${file}.next`
  make(next, text)
  try {
    chownSync(next, uid, gid)
    chmodSync(next, mode & 0o777)
    renameSync(next, file)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}
