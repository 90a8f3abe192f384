import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { OpenKeyring } from 'latchkey'
import { settingsTable } from '../config.ts'
import type { Settings } from '../config.ts'
import { closeOnSignals, isNotHere, isOfThisMachine, portFault, startWarnings } from '../start.ts'
import { fileOf, storeIn } from '../store.ts'
import { advised, issueAdmin } from './advice.ts'
import { commandIn } from './command.ts'
import { Failure } from './exit.ts'
import { listenForProxies } from './serve-proxies.ts'
import { hostFailure } from './serve-settings.ts'
import { settingOptions, settingsOf } from './target.ts'
import { say, serveWithoutReader } from './terminal/print.ts'

export function serveCommand(program: Command): void {
  const command = commandIn(program, 'serve', 'Run the server')
  for (const option of settingOptions(Object.keys(settingsTable) as (keyof Settings)[])) command.addOption(option)
  command.action(serve)
}

/** Runs the server until a signal stops it. Messages go to stderr, because stdout has the log. */
async function serve(options: { readonly host?: string }): Promise<void> {
  const settings = settingsOf(options)
  // Checked before anything is loaded or opened, so that a wrong setting is reported quickly.
  if (!(await isOfThisMachine(settings.host))) throw hostFailure(options)
  // Other commands use these. The server does not need them, and no crash report should have them.
  for (const name of ['LATCHKEY_ADMIN_KEY', 'LATCHKEY_CREDENTIAL', 'LATCHKEY_LIMITER']) delete process.env[name]
  const [{ compose }, { serverLogger }] = await Promise.all([import('../compose.ts'), import('../log.ts')])
  serveWithoutReader()
  const { app, forProxies, keyring, close } = await compose(settings, { logger: serverLogger(settings) })
  const scopesFault = await faultOfScopes(keyring)
  // The terminal shows one line; the log has the whole error.
  process.prependListener('uncaughtException', (error) => app.log.fatal({ err: error }, 'ended by a fault'))
  // The server stops taking requests and answers those in flight. Then the process ends by itself.
  const isStopping = closeOnSignals({ close, hurry: () => keyring.close() })
  try {
    // Written before the server is ready, so that the file exists by then.
    if (settings.firstAdminKeyFile !== undefined) await writeKey(keyring, settings.firstAdminKeyFile)
    const address = await app.listen({ host: settings.host, port: settings.port })
    if (forProxies !== undefined && settings.forwardAuth !== undefined) {
      say(`Proxies ask at ${await listenForProxies(forProxies, settings.forwardAuth)}`)
    }
    say(greeting(address))
    for (const warning of startWarnings({ ...settings, file: fileOf(settings.store) ?? ':memory:' }))
      app.log.warn(warning)
    if (scopesFault !== undefined) app.log.warn(scopesFault)
    // Shown last, so that the key works: the port was free and the database could be opened.
    await tellOfAdminKeys(keyring, settings)
  } catch (error) {
    // A signal is closing everything, so this start cannot finish.
    if (isStopping()) return
    await close()
    throw isNotHere(error) ? hostFailure(options) : explained(error, settings)
  }
}

function greeting(address: string): string {
  const port = new URL(address).port
  const url = /^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:|$)/.test(address) ? `http://127.0.0.1:${port}` : address
  return `Serving ${url}, documented at ${url}/docs`
}

/** How to issue an admin key. A file is named as it is from every folder; a password stays in the settings. */
function howToIssue(store: string): string {
  const file = fileOf(store)
  if (file !== undefined) return `on this machine:\n  ${advised(issueAdmin, { store: storeIn(resolve(file)) })}`
  return `with LATCHKEY_STORE set to the database of this server:\n  ${advised(issueAdmin)}`
}

/** If there is no admin key yet: shows the first one in a terminal, or says elsewhere how to issue one. */
async function tellOfAdminKeys(keyring: OpenKeyring, { store }: Settings): Promise<void> {
  if (process.stderr.isTTY) {
    const { firstAdminKey } = await import('../first-admin-key.ts')
    const secret = await firstAdminKey(keyring)
    if (secret !== undefined) say(`\nYour first admin key. It is shown only now:\n\n  ${secret}\n`)
  } else if ((await keyring.list({ environment: 'admin', limit: 1 })).keys.length === 0) {
    // Other output is usually stored, in a file or a log collector, and is no place for a key.
    say(`There is no admin key yet. Issue one ${howToIssue(store)}`)
  }
}

/** Warns of scopes that callers should have and cannot use. */
async function faultOfScopes(keyring: OpenKeyring): Promise<string | undefined> {
  const lost = (await keyring.lostScopes()).join(', ')
  if (lost !== '')
    return `keys hold scopes that are not declared and cannot be used: ${lost}. Declare them in the file that LATCHKEY_SCOPES_FILE names, or remove them from the keys.`
  if (Object.keys(keyring.scopes).length > 0) return undefined
  return 'no scopes are declared, so no key can be granted any: set LATCHKEY_SCOPES_FILE'
}

/** @throws Failure if the file cannot be written. */
async function writeKey(keyring: OpenKeyring, path: string): Promise<void> {
  const { writeFirstAdminKey } = await import('../first-admin-key.ts')
  try {
    if (await writeFirstAdminKey(keyring, path)) say(`The first admin key is in ${path}.`)
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    const fault = code === 'EEXIST' ? 'exists already, and is not overwritten' : `cannot be made (${code})`
    throw new Failure('failed', `The first admin key was not issued: ${path} ${fault}. Name another file.`, {
      cause: error,
    })
  }
}

function explained(error: unknown, { port }: Settings): unknown {
  const fault = portFault(error, port)
  return fault === undefined ? error : new Failure('failed', fault)
}
