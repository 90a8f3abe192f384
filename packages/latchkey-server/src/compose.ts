import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import Fastify, { LogController } from 'fastify'
import type { Clock, LimiterState, OpenKeyring } from 'latchkey'
import { openKeyring, systemClock } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import type { Settings } from './config.ts'
import { declarationOf, retentionOf, SettingsError } from './config.ts'
import { serverOptions, wholeServer } from './http/app.ts'
import { forwardAuth, forwardAuthOptions } from './http/forward-auth.ts'
import { appliedPolicies } from './http/forward-auth/policies.ts'
import { proxiesOf } from './http/forward-auth/proxies.ts'
import type { Metrics } from './http/hooks/metrics.ts'
import { openMetrics } from './http/hooks/metrics.ts'
import type { KeysInUse } from './identity/keys-in-use.ts'
import { keysInUse } from './identity/keys-in-use.ts'
import { openLimiter } from './limiter.ts'
import { fileOf, isInUse, openStore } from './store.ts'

/** The whole system. */
export interface Composed {
  readonly keyring: OpenKeyring
  readonly app: FastifyInstance
  /** The application for proxies, if there is one. */
  readonly forProxies: FastifyInstance | undefined
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

/** Where each process counts in its own memory. */
const apart =
  'each counts limits on its own, so two processes admit twice as much; LATCHKEY_LIMITER names a Redis that counts for all'
const shared = `another process uses the database too: ${apart}`
const sharable = `any number of processes may use this database: ${apart}`

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
  const {
    instance,
    limiter: counted,
    limiterInstances,
    usageInterval,
    cacheSize,
    cacheMemory,
    quotaDurability,
  } = settings
  const { trustedProxies, corsOrigins, drainDelay } = settings
  const app = Fastify({
    ...serverOptions,
    ...connectionOptions,
    logger,
    // The server writes one line for an answer instead of Fastify's two, which do not know the key.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
  })
  const tellShared = (): void => {
    if (counted === 'memory') app.log.warn(shared)
  }
  const tellLimiter = (state: LimiterState): void => {
    if (state.by === 'shared') app.log.info({ limiter: state }, 'limits are counted for all instances again')
    else app.log.warn({ limiter: state }, 'limits are counted by this instance alone')
  }
  // Ask before this process opens the store. A process that opens it later shows by its writes.
  const inUse = await isInUse(settings.store)
  if (inUse) tellShared()
  if (fileOf(settings.store) === undefined && counted === 'memory') app.log.warn(sharable)
  const store = await openStore(settings.store, 'migrate', {
    onMigration: (step) => app.log.info(step, 'the tables of an older version are brought up to date'),
    quotaDurability,
    ...(instance === undefined ? {} : { instance }),
    ...(inUse ? {} : { onShared: tellShared }),
  })
  const limiter = await openLimiter(counted, { instances: limiterInstances, onChange: tellLimiter })
  const state = limiter?.state?.()
  if (state?.by === 'share') tellLimiter(state)
  const keyring = await openKeyring({
    store,
    ...(limiter === undefined ? {} : { limiter }),
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
    await limiter?.close()
    await store.close()
    throw error
  })
  app.addHook('onClose', () => keyring.close())
  const close = async (): Promise<void> => app.close()
  const { now } = clock ?? systemClock
  const keys = identityKeys(settings, { now, log: app.log })
  app.addHook('onClose', async () => keys?.close())
  const metrics = openMetrics()
  try {
    await app.register(connections)
    const published: KeysInUse['published'] = () => keys?.published() ?? []
    const parts = { keyring, corsOrigins, drainDelay, metrics, published }
    await app.register(wholeServer, { ...parts, logAnswers: true, home: true })
    const forProxies = keys && (await proxyApplication(settings, { keyring, keys, metrics, now, log: app.log }))
    // Before the keyring is closed: hooks run from the last to the first.
    if (forProxies !== undefined) app.addHook('onClose', async () => forProxies.close())
    await app.ready()
    return { keyring, app, forProxies, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The keys that sign identities, if there are any. */
function identityKeys(
  { identity }: Settings,
  { now, log }: { readonly now: () => number; readonly log: FastifyInstance['log'] },
): KeysInUse | undefined {
  return (
    identity &&
    keysInUse({
      ...identity,
      now,
      onChange: (must) =>
        must === undefined
          ? log.info('the keys that sign identities have changed')
          : log.error(`the keys that were read last still sign: LATCHKEY_IDENTITY_FILE must be ${must}.`),
    })
  )
}

/**
 * The application for proxies. It is one of its own, on its own address: whoever reaches it with a key gets an identity.
 *
 * @throws SettingsError for policies that do not fit what is declared.
 */
async function proxyApplication(
  { forwardAuth: address, policies, forwardAuthProxies, trustedProxies }: Settings,
  parts: {
    readonly keyring: OpenKeyring
    readonly keys: KeysInUse
    readonly metrics: Metrics
    readonly now: () => number
    readonly log: FastifyInstance['log']
  },
): Promise<FastifyInstance | undefined> {
  if (address === undefined || policies === undefined) return undefined
  const { keyring, keys, log } = parts
  const { applied, faults } = appliedPolicies(policies, keyring, keys.issuer())
  if (faults.length > 0) throw new SettingsError(faults.map((fault) => `LATCHKEY_POLICIES does not fit: ${fault}`))
  const proxies = proxiesOf(keyring, { listed: forwardAuthProxies, passed: trustedProxies })
  const app = Fastify({
    ...serverOptions,
    ...connectionOptions,
    ...forwardAuthOptions,
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
  }) as unknown as FastifyInstance
  await app.register(connections)
  await forwardAuth(app, { ...parts, policies: applied, proxies })
  await app.ready()
  return app
}
