import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import Fastify, { LogController } from 'fastify'
import type { Clock, OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import type { Settings } from './config.ts'
import { declarationOf, retentionOf } from './config.ts'
import { latchkeyServer, serverOptions } from './http/app.ts'
import { isInUse, openStore } from './store.ts'

/** The whole system. */
export interface Composed {
  readonly keyring: OpenKeyring
  readonly app: FastifyInstance
  /** Takes no new requests, finishes those in flight, writes usage, closes the store. */
  readonly close: () => Promise<void>
}

/** Options of a composition besides the settings. */
export interface ComposeOptions {
  /** `serverLogger(settings)`; nothing is logged if left out. */
  readonly logger?: FastifyServerOptions['logger']
  /** The machine's clock if left out; tests pass their own. */
  readonly clock?: Clock
}

/** Each process has the limiter in memory that is made here. */
const shared =
  'another process uses the database too: each counts limits on its own, so two processes admit twice as much'

/**
 * The composition root: store, keyring and application, wired on this page. The server runs it, and the tests run it with
 * the store `sqlite::memory:`.
 *
 * @throws LatchkeyError `store_unusable`.
 *
 * @example
 * const { app } = await compose(settings, { logger: serverLogger(settings) })
 * await app.listen({ host: settings.host, port: settings.port })
 */
export async function compose(settings: Settings, { logger = false, clock }: ComposeOptions = {}): Promise<Composed> {
  const { instance, usageInterval, cacheSize, cacheMemory, quotaDurability } = settings
  const { trustedProxies, corsOrigins, drainDelay } = settings
  const app = Fastify({
    ...serverOptions,
    ...connectionOptions,
    logger,
    // The server writes one line for an answer instead of Fastify's two, which do not know the key.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
  })
  const tellShared = (): void => app.log.warn(shared)
  // Ask before this process opens the store. A process that opens it later shows by its writes.
  const inUse = await isInUse(settings.store)
  if (inUse) tellShared()
  const store = await openStore(settings.store, 'migrate', {
    onMigration: (step) => app.log.info(step, 'the tables of an older version are brought up to date'),
    quotaDurability,
    ...(inUse ? {} : { onShared: tellShared }),
  })
  const keyring = await openKeyring({
    store,
    ...declarationOf(settings),
    cacheSize,
    cacheBytes: cacheMemory * 1_048_576,
    usageInterval: usageInterval * 1000,
    retention: retentionOf(settings),
    ...(instance === undefined ? {} : { instance }),
    onError: (error) =>
      app.log.warn(
        { err: error },
        'usage or refusals could not be written, or old rows not be purged; it is tried again',
      ),
    ...(clock === undefined ? {} : { clock }),
  }).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  app.addHook('onClose', () => keyring.close())
  const close = async (): Promise<void> => app.close()
  try {
    await app.register(connections)
    await app.register(latchkeyServer, { keyring, corsOrigins, drainDelay, logAnswers: true, home: true })
    await app.ready()
  } catch (error) {
    await close()
    throw error
  }
  return { keyring, app, close }
}
