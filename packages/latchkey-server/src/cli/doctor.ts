import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { SettingsError } from '../config.ts'
import { fileOf } from '../store.ts'
import { advised, issueAdmin } from './advice.ts'
import { keyringCommand } from './command.ts'
import { fileFindings } from './doctor/files.ts'
import type { Finding } from './doctor/finding.ts'
import { good, note, reasonOf, wrong } from './doctor/finding.ts'
import { keyringFindings } from './doctor/keyring.ts'
import { platformFindings } from './doctor/platform.ts'
import { serverFindings } from './doctor/server.ts'
import { exits, Failure } from './exit.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { makeOne, serverOf, settingsOf, upgrade, withKeyring } from './target.ts'
import { plain, put, styled } from './terminal/print.ts'
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
    const file = fileOf(settingsOf(options).store)
    const settings = good('settings', 'every one is what it must be')
    if (file === ':memory:' || existsSync(file)) return [settings, ...fileFindings(file)]
    const found = `there is none at ${file}`
    return [settings, wrong({ what: 'database', found, remedy: makeOne, commands: [advised('serve', options)] })]
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    const remedy = 'Mend it in the environment, .env or the flag.'
    return error.faults.map((found) => wrong({ what: 'settings', found, remedy }))
  }
}

async function openFindings(options: TargetOptions): Promise<readonly Finding[]> {
  const remote = serverOf(options) !== undefined
  try {
    return await withKeyring(
      options,
      // Who asks what is wrong must find it as it was.
      { mode: 'read' },
      async ({ keyring }) => [
        remote ? good('admin key', 'the server takes it') : good('database', 'it opens'),
        ...(await keyringFindings(keyring, { now: Date.now(), options })),
      ],
    )
  } catch (error) {
    return [remote ? adminKeyFinding(error) : databaseFinding(error, options)]
  }
}

/** Why a server was not asked. */
function adminKeyFinding(error: unknown): Finding {
  const found = reasonOf(error)
  if (error instanceof Failure) {
    const isKey = found.startsWith('LATCHKEY_ADMIN_KEY must ')
    const remedy = isKey ? 'Set it. Where the database is, an admin key is issued with:' : 'Mend it.'
    return wrong({ what: 'settings', found, remedy, ...(isKey ? { commands: [advised(issueAdmin)] } : {}) })
  }
  if ((error as { readonly code?: unknown }).code !== 'admin_key_refused') {
    return wrong({ what: 'server', found, remedy: 'Mend what the line above says, then ask again.' })
  }
  const remedy = 'Set LATCHKEY_ADMIN_KEY to one that works. Where the database is, one is issued with:'
  return wrong({ what: 'admin key', found, remedy, commands: [advised(issueAdmin)] })
}

/** Why a database was not opened. One of another version is whole, and one that is locked is too: neither needs a backup. */
function databaseFinding(error: unknown, options: TargetOptions): Finding {
  const what = 'database'
  const { cause } = error as { readonly cause?: { readonly cause?: unknown; readonly errcode?: unknown } | string }
  // The command line has put it into other words.
  const reason = typeof cause === 'object' ? (cause.cause ?? cause) : cause
  if (reason === 'older schema') {
    const found = 'its tables are of an older version of Latchkey, or not made yet'
    const remedy = 'Stop what works on it, make a backup, bring it up to date, then ask again:'
    return note({ what, found, remedy, commands: upgrade(options) })
  }
  if (reason === 'newer schema') {
    const remedy = 'Use the newer version of Latchkey, or name another file with --store.'
    return wrong({ what, found: 'it was written by a newer version of Latchkey', remedy })
  }
  if (isBusy(reason)) {
    const remedy = 'Another program keeps it for itself. Let it come to its end, or end it; then ask again.'
    return wrong({ what, found: 'it is locked', remedy })
  }
  return wrong({ what, found: reasonOf(error), remedy: 'Restore a backup, or name another file with --store.' })
}

/** SQLITE_BUSY, SQLITE_LOCKED. */
function isBusy(reason: unknown): boolean {
  const { errcode } = (typeof reason === 'object' ? (reason ?? {}) : {}) as { readonly errcode?: unknown }
  return typeof errcode === 'number' && [5, 6].includes(errcode % 256)
}

const marks: Readonly<Record<Finding['state'], readonly [string, 'green' | 'yellow' | 'red']>> = {
  good: ['good ', 'green'],
  note: ['note ', 'yellow'],
  wrong: ['WRONG', 'red'],
}

function show(findings: readonly Finding[], { json }: TargetOptions): void {
  if (json === true) return putReport({ good: findings.every(({ state }) => state !== 'wrong'), findings })
  for (const { what, state, found, remedy, commands = [] } of findings) {
    const [mark, colour] = marks[state]
    putHanging(`${styled(colour, mark)}  ${what.padEnd(10)}  `, plain(found))
    if (remedy !== undefined) putHanging(' '.repeat(19), plain(remedy))
    // Not broken into lines: they are copied.
    for (const command of commands) put(' '.repeat(19) + plain(command))
  }
}
