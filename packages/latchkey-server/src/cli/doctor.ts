import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { SettingsError } from '../config.ts'
import { fileOf } from '../store.ts'
import { advised, issueAdmin } from './advice.ts'
import { keyringCommand } from './command.ts'
import { fileFindings } from './doctor/files.ts'
import type { Finding } from './doctor/finding.ts'
import { fail, ok, reasonOf, warn } from './doctor/finding.ts'
import { keyringFindings } from './doctor/keyring.ts'
import { limiterFindings } from './doctor/limiter.ts'
import { platformFindings } from './doctor/platform.ts'
import { serverFindings } from './doctor/server.ts'
import { exits, Failure } from './exit.ts'
import { putReport } from './json.ts'
import type { TargetOptions } from './target.ts'
import { makeOne, serverOf, settingsOf, upgrade, withKeyring } from './target.ts'
import { printable, put, styled } from './terminal/print.ts'
import { putHanging } from './terminal/table.ts'

export function doctorCommand(program: Command): void {
  keyringCommand(program, 'doctor', 'Check this installation, and say what to do about each problem').action(
    async (options: TargetOptions) => {
      const url = serverOf(options)
      const findings = [...platformFindings()]
      findings.push(...(url === undefined ? await storeFindings(options) : await serverFindings(url)))
      // If nothing can be opened there is nothing to add.
      if (
        !findings.some(
          ({ state, what }) => state === 'fail' && (what === 'settings' || what === 'database' || what === 'server'),
        )
      ) {
        findings.push(...(await openFindings(options)))
      }
      show(findings, options)
      const faults = findings.filter(({ state }) => state === 'fail')
      if (faults.length > 0)
        process.exitCode = faults.some(({ what }) => what === 'settings') ? exits.settings.code : exits.failed.code
    },
  )
}

async function storeFindings(options: TargetOptions): Promise<readonly Finding[]> {
  try {
    const { store, limiter } = settingsOf(options)
    const file = fileOf(store)
    const general = [ok('settings', 'all are valid'), ...(await limiterFindings(limiter))]
    if (file === undefined) return general
    if (file === ':memory:' || existsSync(file)) return [...general, ...fileFindings(file)]
    const found = `there is no file at ${file}`
    return [...general, fail({ what: 'database', found, remedy: makeOne, commands: [advised('serve', options)] })]
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    const remedy = 'Correct it in the environment, .env or the flag.'
    return error.faults.map((found) => fail({ what: 'settings', found, remedy }))
  }
}

async function openFindings(options: TargetOptions): Promise<readonly Finding[]> {
  const remote = serverOf(options) !== undefined
  try {
    return await withKeyring(
      options,
      // doctor looks and changes nothing.
      { mode: 'read' },
      async ({ keyring }) => [
        remote ? ok('admin key', 'the server accepts it') : ok('database', 'it opens'),
        ...(await keyringFindings(keyring, { now: Date.now(), options })),
      ],
    )
  } catch (error) {
    return [remote ? adminKeyFinding(error) : databaseFinding(error, options)]
  }
}

/** Says why a server was not asked. */
function adminKeyFinding(error: unknown): Finding {
  const found = reasonOf(error)
  if (error instanceof Failure) {
    const isKey = found.startsWith('LATCHKEY_ADMIN_KEY must ')
    const remedy = isKey ? 'Set it. To issue an admin key, run this where the database is:' : 'Correct it.'
    return fail({ what: 'settings', found, remedy, ...(isKey ? { commands: [advised(issueAdmin)] } : {}) })
  }
  if ((error as { readonly code?: unknown }).code !== 'admin_key_refused') {
    return fail({ what: 'server', found, remedy: 'Solve this, then run doctor again.' })
  }
  const remedy = 'Set LATCHKEY_ADMIN_KEY to an admin key that works. To issue one, run this where the database is:'
  return fail({ what: 'admin key', found, remedy, commands: [advised(issueAdmin)] })
}

/** Says why a database was not opened. One of another version, or a locked one, is intact: it needs no backup. */
function databaseFinding(error: unknown, options: TargetOptions): Finding {
  const what = 'database'
  const { cause } = error as { readonly cause?: { readonly cause?: unknown; readonly errcode?: unknown } | string }
  // The command line has wrapped the error in another one.
  const reason = typeof cause === 'object' ? (cause.cause ?? cause) : cause
  if (reason === 'older schema') {
    const found = 'its tables are from an older version of Latchkey, or not made yet'
    const remedy = 'Stop everything that uses it, make a backup, migrate, then run doctor again:'
    return warn({ what, found, remedy, commands: upgrade(options) })
  }
  if (reason === 'newer schema') {
    const remedy = 'Use the newer version of Latchkey, or name another file with --store.'
    return fail({ what, found: 'a newer version of Latchkey has written it', remedy })
  }
  if (isBusy(reason)) {
    const remedy = 'Let the program that has locked it finish, or stop it. Then run doctor again.'
    return fail({ what, found: 'another program has locked it', remedy })
  }
  return fail({ what, found: reasonOf(error), remedy: 'Restore a backup, or name another file with --store.' })
}

/** SQLITE_BUSY, SQLITE_LOCKED. */
function isBusy(reason: unknown): boolean {
  const { errcode } = (typeof reason === 'object' ? (reason ?? {}) : {}) as { readonly errcode?: unknown }
  return typeof errcode === 'number' && [5, 6].includes(errcode % 256)
}

const marks: Readonly<Record<Finding['state'], readonly [string, 'green' | 'yellow' | 'red']>> = {
  ok: ['ok  ', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
}

function show(findings: readonly Finding[], { json }: TargetOptions): void {
  if (json === true) return putReport({ ok: findings.every(({ state }) => state !== 'fail'), findings })
  for (const { what, state, found, remedy, commands = [] } of findings) {
    const [mark, colour] = marks[state]
    putHanging(`${styled(colour, mark)}  ${what.padEnd(10)}  `, printable(found))
    if (remedy !== undefined) putHanging(' '.repeat(18), printable(remedy))
    // Commands are not broken into lines, because people copy them.
    for (const command of commands) put(' '.repeat(18) + printable(command))
  }
}
