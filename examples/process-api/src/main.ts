import { LatchkeyError } from 'latchkey'
import { logSerializers } from 'latchkey/guard/fastify'
import { firstAdminKey } from 'latchkey-server'
import { buildApp, simulatedWork } from './app.ts'
import { issueFirstKey, openKeys } from './keys.ts'
import { loadEnvironmentFile, readSettings, SettingsError, standsInFile } from './settings.ts'
import { welcome } from './welcome.ts'

/** EX_CONFIG of sysexits.h: a supervisor need not try again, somebody has to mend the settings. */
const exitSettings = 78

/** What the system says of a HOST that it cannot listen on. */
const notHere: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND'])

try {
  await main()
} catch (error) {
  console.error(explain(error))
  process.exit(isBySettings(error) ? exitSettings : 1)
}

async function main(): Promise<void> {
  loadEnvironmentFile()
  const settings = readSettings(process.env)
  // Nothing that we start, and no report of a crash, needs to know it.
  delete process.env['SERVICE_API_KEY']

  const keyring = await openKeys(settings)
  const app = await buildApp({
    keyring,
    work: simulatedWork(settings.PROCESSING_SECONDS),
    logger: { level: settings.LOG_LEVEL, serializers: logSerializers },
  })
  app.addHook('onClose', () => keyring.close())
  // Stops listening, finishes what is in flight, then the process has nothing left to do.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.close())

  const address = await app.listen({ host: settings.HOST, port: settings.PORT })
  // Last, so that a key that was shown is one that works: the port was free and the database was sound.
  const key = settings.SERVICE_API_KEY === undefined ? await issueFirstKey(keyring) : undefined
  // Only to a person: what a program reads of this may be kept as a log.
  const adminKey = process.stdout.isTTY ? await firstAdminKey(keyring) : undefined
  const ownKey = settings.SERVICE_API_KEY
  const inFile = ownKey !== undefined && standsInFile('SERVICE_API_KEY', ownKey)
  console.log(welcome(address, settings, { key, adminKey, inFile }))
}

function isBySettings(error: unknown): boolean {
  if (error instanceof LatchkeyError) return error.code === 'weak_key'
  return error instanceof SettingsError || notHere.has((error as NodeJS.ErrnoException).code)
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'The port is in use. Set PORT to another one, or stop the program that uses it.'
  if (code === 'EACCES') return 'The port may not be used. Set PORT to one from 1024 on.'
  if (notHere.has(code)) return 'HOST is not an address of this machine.'
  return message
}
