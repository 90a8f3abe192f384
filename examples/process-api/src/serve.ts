import type { FastifyInstance } from 'fastify'
import type { KeySource } from 'latchkey'
import { adminEnvironment } from 'latchkey'
import { logSerializers } from 'latchkey/guard/fastify'
import { firstAdminKey } from 'latchkey-server'
import { closeOnSignals, hostMust, isNotHere, portFault, startWarnings } from 'latchkey-server/start'
import { buildApp, simulatedWork } from './app.ts'
import { fileOf, issueFirstKey, openKeys } from './keys.ts'
import type { Settings } from './settings.ts'
import { SettingsError, standsInFile } from './settings.ts'
import { welcome } from './welcome.ts'

/** Serves until a signal to stop, and prints the address. */
export async function serve(settings: Settings, sources: readonly KeySource[]): Promise<void> {
  const keyring = await openKeys(settings, sources)
  const app = await buildApp({
    keyring,
    work: simulatedWork(settings.PROCESSING_SECONDS),
    logger: { level: settings.LOG_LEVEL, serializers: logSerializers },
  })
  app.addHook('onClose', () => keyring.close())
  // Stops listening and finishes the requests in flight; then the process ends by itself.
  const isStopping = closeOnSignals({ close: () => app.close(), hurry: () => keyring.close() })
  try {
    await begin(app, keyring, settings)
  } catch (error) {
    // A signal is closing everything, so this start cannot finish.
    if (!isStopping()) throw error
  }
}

async function begin(
  app: FastifyInstance,
  keyring: Awaited<ReturnType<typeof openKeys>>,
  settings: Settings,
): Promise<void> {
  const address = await listen(app, settings)
  for (const warning of startWarnings({ host: settings.HOST, file: fileOf(settings.LATCHKEY_STORE) })) {
    app.log.warn(warning)
  }
  // Show the key last: then the port was free, the database was sound, and the key works.
  const key = settings.SERVICE_API_KEY === undefined ? await issueFirstKey(keyring) : undefined
  // Only in a terminal: other output may be kept as a log.
  const adminKey = process.stdout.isTTY ? await firstAdminKey(keyring) : undefined
  const noAdminKey = (await keyring.list({ environment: adminEnvironment, limit: 1 })).keys.length === 0
  const ownKey = settings.SERVICE_API_KEY
  const inFile = ownKey !== undefined && standsInFile('SERVICE_API_KEY', ownKey)
  console.log(welcome(address, settings, { key, adminKey, noAdminKey, inFile }))
}

async function listen(app: FastifyInstance, { HOST: host, PORT: port }: Settings): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    if (isNotHere(error)) throw new SettingsError(hostMust, { cause: error })
    throw new Error(portFault(error, port) ?? String(error), { cause: error })
  }
}
