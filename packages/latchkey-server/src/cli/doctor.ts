import type { Command } from 'commander'
import { SettingsError } from '../config.ts'
import { keyringCommand } from './command.ts'
import { fileFindings } from './doctor/files.ts'
import type { Finding } from './doctor/finding.ts'
import { good, note, reasonOf, wrong } from './doctor/finding.ts'
import { keyringFindings } from './doctor/keyring.ts'
import { platformFindings } from './doctor/platform.ts'
import { serverFindings } from './doctor/server.ts'
import { exits, Failure } from './exit.ts'
import type { TargetOptions } from './target.ts'
import { mustExist, serverOf, settingsOf, withKeyring } from './target.ts'
import { plain, putJson, styled } from './terminal/print.ts'
import { putHanging } from './terminal/table.ts'

export function doctorCommand(program: Command): void {
  keyringCommand(program, 'doctor', 'what is wrong with this installation, and what to do').action(
    async (options: TargetOptions) => {
      const url = serverOf(options)
      const findings = [...platformFindings()]
      findings.push(...(url === undefined ? await storeFindings(options) : await serverFindings(url)))
      // Once it is known that nothing can be opened there is nothing to add.
      if (
        !findings.some(
          ({ state, what }) => state === 'wrong' && (what === 'settings' || what === 'database' || what === 'server'),
        )
      ) {
        findings.push(...(await openFindings(options)))
      }
      show(findings, options)
      const faults = findings.filter(({ state }) => state === 'wrong')
      if (faults.length > 0)
        process.exitCode = faults.some(({ what }) => what === 'settings') ? exits.settings.code : exits.failed.code
    },
  )
}

async function storeFindings(options: TargetOptions): Promise<readonly Finding[]> {
  try {
    const { file } = settingsOf(options)
    const settings = good('settings', 'every one is what it must be')
    try {
      mustExist(file)
    } catch (error) {
      return [settings, wrong('database', `there is none at ${file}`, reasonOf(error).replace(/^[^.]*\. /, ''))]
    }
    return [settings, ...fileFindings(file)]
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.faults.map((fault) => wrong('settings', fault, 'Mend it in the environment, .env or the flag.'))
  }
}

async function openFindings(options: TargetOptions): Promise<readonly Finding[]> {
  try {
    return await withKeyring(
      options,
      // Who asks what is wrong must find it as it was.
      { mode: 'read' },
      async ({ keyring, where }) => [
        where === 'store' ? good('database', 'it opens') : good('admin key', 'the server takes it'),
        ...(await keyringFindings(keyring, Date.now())),
      ],
    )
  } catch (error) {
    if (error instanceof Failure && error.exit === 'settings') return [wrong('settings', reasonOf(error), 'Set it.')]
    return serverOf(options) === undefined
      ? [databaseFinding(error)]
      : [wrong('admin key', reasonOf(error), 'Set LATCHKEY_ADMIN_KEY to one that works.')]
  }
}

/** Why a database was not opened. One of another version is whole, and needs no backup. */
function databaseFinding(error: unknown): Finding {
  const { cause } = error as { readonly cause?: unknown }
  if (cause === 'older schema') {
    const found = 'its tables are of an older version of Latchkey, or not made yet'
    return note(
      'database',
      found,
      'Make a backup (latchkey backup <file>), bring it up to date (latchkey migrate), then ask again.',
    )
  }
  if (cause === 'newer schema') {
    const remedy = 'Use the newer version of Latchkey, or name another file with --store.'
    return wrong('database', 'it was written by a newer version of Latchkey', remedy)
  }
  return wrong('database', reasonOf(error), 'Restore a backup, or name another file with --store.')
}

const marks: Readonly<Record<Finding['state'], readonly [string, 'green' | 'yellow' | 'red']>> = {
  good: ['good ', 'green'],
  note: ['note ', 'yellow'],
  wrong: ['WRONG', 'red'],
}

function show(findings: readonly Finding[], { json }: TargetOptions): void {
  if (json === true) return putJson({ good: findings.every(({ state }) => state !== 'wrong'), findings })
  for (const { what, state, found, remedy } of findings) {
    const [mark, colour] = marks[state]
    putHanging(`${styled(colour, mark)}  ${what.padEnd(10)}  `, plain(found))
    if (remedy !== undefined) putHanging(' '.repeat(19), plain(remedy))
  }
}
