import { invalid, membersOf, oneOf, objectOf, integer } from '../input.ts'
import { snapshotRows } from '../journal/snapshot.ts'
import { memoryLimiter } from '../limiter/memory.ts'
import type { AdminScope } from '../policy/admin.ts'
import { adminEnvironment, adminScopes } from '../policy/admin.ts'
import { expand, grantable } from '../policy/scopes.ts'
import { checkPorts } from '../ports/shape.ts'
import { promptSource, timelyLimiter, timelyStore } from '../ports/timely.ts'
import type { Timer } from '../ports.ts'
import { underWay } from '../under-way.ts'
import { openCache } from '../verify/cache.ts'
import { Credential } from '../verify/credential.ts'
import type { KeyringParts } from '../verify/parts.ts'
import { openRefusals } from '../verify/refusals.ts'
import { openUsage } from '../verify/usage.ts'
import type { Verifier } from '../verify/verdict.ts'
import { verifierOf } from '../verify/verify.ts'
import { systemTimer } from '../within.ts'
import { actingAs } from './acting.ts'
import { backgroundErrors } from './background-errors.ts'
import { systemClock } from './clock.ts'
import { declarationsOf } from './declaring.ts'
import { instanceOf } from './instance.ts'
import type { Keyring, KeyringOptions, OpenKeyring } from './keyring.ts'
import { backgroundCheckOf } from './reading/journal-head.ts'
import { purge } from './deletion/purge.ts'
import { purgeAtTimes } from './deletion/purge-at-times.ts'
import { refusalBoundsOf } from './refusal-bounds.ts'
import { agesOf } from './deletion/retention.ts'
import { verbsOf } from './verbs.ts'

const keyringOptions = membersOf<KeyringOptions<string>>({
  store: true,
  scopes: true,
  prefix: true,
  environments: true,
  sources: true,
  limiter: true,
  clock: true,
  cacheSize: true,
  cacheBytes: true,
  storeTimeout: true,
  usageInterval: true,
  refusals: true,
  retention: true,
  instance: true,
  onError: true,
})

/**
 * Opens a keyring on a store. The scopes, the prefix and the environments are kept in the store; one that is left out is as
 * it was declared there last. The keyring counts usage in memory and writes it every ten seconds, so close it in the end.
 *
 * @throws LatchkeyError `invalid_input` for a prefix, an environment, a scope or a number that is not as it must be;
 *   `unavailable` when the store does not answer.
 *
 * @example
 * const keyring = await openKeyring({
 *   store: sqliteStore({ file: 'data/latchkey.db' }),
 *   scopes: { 'orders:read': 'Read orders' },
 * })
 * const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
 * await keyring.close()
 */
export async function openKeyring<const Scope extends string>(
  options: KeyringOptions<Scope>,
): Promise<OpenKeyring<Scope>> {
  objectOf('The options of openKeyring', options, keyringOptions)
  const {
    clock = systemClock,
    cacheSize = 50_000,
    cacheBytes = 67_108_864,
    storeTimeout = 2000,
    usageInterval = 10_000,
  } = options
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 2) throw invalid('cacheSize', 'a whole number from 2')
  if (!Number.isSafeInteger(usageInterval) || usageInterval < 1) throw invalid('usageInterval', 'milliseconds from 1')
  integer('cacheBytes', cacheBytes, { least: 1, most: Number.MAX_SAFE_INTEGER })
  integer('storeTimeout', storeTimeout, { least: 1, most: longestTimeout })

  const instance = instanceOf(options.instance)
  const refusalBounds = refusalBoundsOf(options.refusals)
  const ages = agesOf(options.retention)

  const onError = backgroundErrors(options.onError)
  const ports = {
    store: options.store,
    limiter: options.limiter ?? memoryLimiter({ clock }),
    sources: options.sources ?? [],
    clock,
  }
  checkPorts(ports)
  const after: Timer = clock.after?.bind(clock) ?? systemTimer
  const waits = { timeout: storeTimeout, after }
  const store = timelyStore(ports.store, waits)
  const { scopes, prefix, environments } = await declarationsOf(store, options, onError)
  const sources = ports.sources.map(promptSource)
  for (const key of sources.flatMap((source) => source.keys)) {
    // Such a key would never be accepted, and its refusal would not say why.
    oneOf(`The environment of ${key.name}`, key.environment, environments)
    grantable(key.scopes, scopes)
  }

  const usage = openUsage({ store, interval: usageInterval, now: clock.now(), after, onError })
  const refusals = openRefusals({ store, now: () => clock.now(), instance, bounds: refusalBounds, onError })
  const cache = openCache<Scope>({
    store,
    clock,
    after,
    usage,
    refusals,
    limits: { entries: cacheSize, bytes: cacheBytes },
  })
  const limiter = timelyLimiter(ports.limiter, waits)
  const parts: KeyringParts<Scope> = {
    store,
    limiter,
    sources,
    cache,
    usage,
    refusals,
    clock,
    cursorKey: await store.cursorKey(),
    prefix,
    environments,
    scopes,
  }
  await snapshotRows({ store, clock })
  // The first look is the longest, and a store that cannot be read should say so now and not to the first caller.
  await cache.follow()

  const verify = verifierOf(parts)
  const credential = (presented: string): Credential => new Credential(presented)
  const noting =
    (environment: string): NonNullable<Keyring['noteRefusal']> =>
    (refused, call) =>
      refusals.note({ at: clock.now(), refused, call, environment })
  const noteRefusal = noting(environments[0])
  // A change that is committed must be answered too: a secret is shown only once.
  const { during, ended } = underWay()
  const check = backgroundCheckOf(parts)
  const purging = purgeAtTimes(
    async () => purge(parts, { ages, options: { actor: 'latchkey' }, stopped: purging.closed }),
    onError,
  )
  let closed: Promise<void> | undefined
  // To close twice is to close once: the application and the server that it mounts may both do it.
  const close = (): Promise<void> => (closed ??= closeAll())
  async function closeAll(): Promise<void> {
    await ended()
    await purging.close()
    try {
      await usage.close()
    } finally {
      // A store that is gone forgets by itself that this cache followed it.
      await cache.close().catch(onError)
      try {
        await refusals.close()
      } finally {
        await limiter.close()
        await store.close()
      }
    }
  }
  return {
    ...verbsOf(parts, { verify, during, check }),
    credential,
    noteRefusal,
    close,
    async flushUsage() {
      await Promise.all([usage.flush(), refusals.flush()])
    },
    purge: (purgeOptions = {}) => during(purge(parts, { ages, options: purgeOptions })),
    async ready() {
      await store.ready()
    },
    limiterState: () => limiter.state?.(),
    async lostScopes() {
      const granted = await store.grants(environments)
      return granted.filter((scope) => expand([scope], scopes).size === 0).toSorted()
    },
    admin: {
      scopes: adminScopes,
      environments: [adminEnvironment],
      credential,
      verify: verifierOf(parts, [adminEnvironment]) as unknown as Verifier<AdminScope>['verify'],
      noteRefusal: noting(adminEnvironment),
    },
    as: actingAs({
      parts,
      verify,
      keyringOf: (acting, verifyAs) => ({
        ...verbsOf(acting, { verify: verifyAs, during, check }),
        noteRefusal,
        credential,
        async close() {
          // The keyring stays open: others go on using it.
        },
      }),
    }),
  }
}

/** Milliseconds: ten minutes. */
const longestTimeout = 600_000
