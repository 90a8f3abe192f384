import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import type { OpenKeyring } from '../../src/keyring/keyring.ts'
import type { KeyMembers, QuotaOptions } from '../../src/keyring/members.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { JsonValue, Metadata } from '../../src/policy/metadata.ts'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import type { Clock, KeyState, Store } from '../../src/ports.ts'
import { mint } from '../../src/secret/mint.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { lateStore } from './late-store.ts'
import { unknownInstances, storeIn } from './workbench.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders', 'reports:read': 'Read reports' }
type Scope = keyof typeof scopes
type Patch = Partial<KeyMembers<Scope>>
const scopeNames = Object.keys(scopes) as Scope[]

// The model: plain facts, no cache, no store, no hash, no promise.

interface ModelLimit {
  readonly name: string
  readonly limit: number
  readonly window: number
  readonly reportOnly?: boolean
}

interface ModelSecret {
  readonly text: string
  readonly start: string
  /** A rotation has brought it about: its first use is known at once. */
  readonly rotated?: boolean
  readonly createdAt: number
  endsAt: number | null
  lastUsedAt: number | null
}

interface ModelKey {
  readonly id: string
  readonly environment: string
  /** The newest last. */
  readonly secrets: ModelSecret[]
  rotatedAt?: number
  name: string
  owner: string
  scopes: readonly string[]
  metadata: Metadata | null
  notBefore: number | null
  expiresAt: number | null
  addresses: readonly string[] | null
  limits: readonly ModelLimit[]
  quota: QuotaOptions | null
  left: number
  /** When `left` was last said. */
  leftAt: number
  disabled: boolean
  revoked: boolean
  revision: number
}

interface ModelOwner {
  disabled: boolean
  limits: readonly ModelLimit[]
  revision: number
}

/** What one process knows by itself: what it has counted, and what it has not written yet. */
interface ModelProcess {
  counted: { readonly bucket: string; readonly at: number; readonly cost: number }[]
  usage: Map<string, number>
  used: Map<ModelSecret, number>
}

interface Model {
  readonly keys: ModelKey[]
  readonly owners: Map<string, ModelOwner>
  readonly processes: [ModelProcess, ModelProcess]
  /** Written usage: `hour key owner outcome limit` and how often, and with `cost` after it what that cost. */
  readonly usage: Map<string, number>
  readonly done: Map<string, { readonly body: string; readonly ids: readonly string[]; readonly at: number }>
  changes: number
}

/** The thing itself: two keyrings on one file, as two processes would have it; either may be closed and opened again. */
interface Real {
  readonly time: { now: number }
  readonly keyrings: OpenKeyring<Scope>[]
  readonly open: () => Promise<OpenKeyring<Scope>>
}

type Command = fc.AsyncCommand<Model, Real>

const hour = 3_600_000
const day = 24 * hour

function newProcess(): ModelProcess {
  return { counted: [], usage: new Map(), used: new Map() }
}

function sha(algorithm: 'sha256' | 'sha512', text: string): string {
  return createHash(algorithm).update(text).digest('hex')
}

function stateAt({ owners }: Model, key: ModelKey, now: number): KeyState {
  if (key.revoked) return 'revoked'
  if (key.disabled) return 'disabled'
  if (owners.get(key.owner)?.disabled === true) return 'owner_disabled'
  if (key.expiresAt !== null && now >= key.expiresAt) return 'expired'
  return key.notBefore !== null && now < key.notBefore ? 'pending' : 'active'
}

function leftAt({ quota, left, leftAt: said }: ModelKey, now: number): number {
  if (quota === null || (quota.refill ?? null) === null) return left
  const digits = { hour: 13, day: 10, month: 7 }
  // Weeks are counted from a Monday.
  const period = (at: number): string =>
    quota.refill === 'week'
      ? String(Math.floor((at - Date.UTC(1970, 0, 5)) / (7 * day))).padStart(6, '0')
      : new Date(at).toISOString().slice(0, digits[quota.refill ?? 'month'])
  return period(now) > period(said) ? quota.amount : left
}

interface Asked {
  readonly environment: string
  readonly allOf: readonly Scope[]
  readonly anyOf: readonly Scope[]
  readonly cost: number
  readonly ip: string | undefined
  readonly dryRun: boolean
}

interface Expected {
  readonly code: string
  readonly left?: number
}

/** A use as it is kept: the second in which it was, but not a time before the secret was there. */
function keptUse({ createdAt }: ModelSecret, now: number): number {
  return Math.max(now - (now % 1000), createdAt)
}

/** What verify must say, and what it must leave behind in the model. */
function judged(
  model: Model,
  at: { readonly which: 0 | 1; readonly now: number; readonly key: ModelKey; readonly secret: ModelSecret },
  asked: Asked,
): Expected {
  const { key, secret, now } = at
  const { counted, usage, used } = model.processes[at.which]
  const place = `${now - (now % hour)} ${key.id} ${key.owner}`
  const tell = (code: string, left?: number): Expected => {
    if (!asked.dryRun) {
      addTo(usage, `${place} ${code}`)
      if (code === 'accepted') addTo(usage, `${place} accepted cost`, asked.cost)
      if (code === 'accepted') used.set(secret, keptUse(secret, now))
      if (code === 'accepted' && secret.rotated) secret.lastUsedAt ??= now
    }
    return left === undefined ? { code } : { code, left }
  }
  const state = stateAt(model, key, now)
  if (state === 'pending') return tell('not_yet_valid')
  if (state !== 'active') return tell(state)
  if (secret.endsAt !== null && now >= secret.endsAt) return tell('secret_ended')
  if (key.environment !== asked.environment) return tell('wrong_environment')
  // There is one range in this test, and one address in it.
  if (key.addresses !== null && asked.ip !== '192.0.2.7') return tell('address_not_allowed')
  const may = (scope: string): boolean =>
    key.scopes.some((granted) => granted === scope || granted === `${scope.split(':')[0]}:*`)
  const enough = asked.allOf.every(may) && (asked.anyOf.length === 0 || asked.anyOf.some(may))
  if (!enough) return tell('insufficient_scope')

  const windows = [
    ...key.limits.map((limit) => ({ ...limit, shown: limit.name, bucket: `${key.id} ${limit.name} ${limit.window}` })),
    ...(model.owners.get(key.owner)?.limits ?? []).map((limit) => ({
      ...limit,
      shown: `owner:${limit.name}`,
      bucket: `${key.owner} ${limit.name} ${limit.window}`,
    })),
  ]
  const sum = (bucket: string, window: number): number =>
    counted
      .filter((call) => call.bucket === bucket && call.at > now - window * 1000)
      .reduce((total, { cost }) => total + cost, 0)
  const hasRoom = ({ bucket, window, limit }: (typeof windows)[number]): boolean =>
    asked.cost === 0 || sum(bucket, window) + asked.cost <= limit
  /** When there is room, by the calls that leave the window by then. */
  const roomAt = ({ bucket, window, limit }: (typeof windows)[number]): number => {
    const calls = counted.filter((call) => call.bucket === bucket && call.at > now - window * 1000)
    const ends = [now, ...calls.map((call) => call.at + window * 1000)].toSorted((one, other) => one - other)
    const staying = (end: number): number =>
      calls.filter((call) => call.at + window * 1000 > end).reduce((all, { cost }) => all + cost, 0)
    return ends.find((end) => staying(end) + asked.cost <= limit) ?? Number.POSITIVE_INFINITY
  }
  const [refusing] = windows
    .filter((window) => window.reportOnly !== true && !hasRoom(window))
    .toSorted((one, other) => (roomAt(one) === roomAt(other) ? 0 : roomAt(other) - roomAt(one)))
  if (refusing !== undefined) {
    if (!asked.dryRun) addTo(usage, `${place} over_limit ${refusing.shown}`)
    return { code: 'over_limit' }
  }
  const reported = windows.filter((window) => !hasRoom(window))
  const left = leftAt(key, now)
  if (key.quota !== null && left < asked.cost) return tell('quota_exhausted')
  if (!asked.dryRun) {
    for (const window of windows) {
      if (hasRoom(window)) counted.push({ bucket: window.bucket, at: now, cost: asked.cost })
    }
    if (key.quota !== null) {
      key.left = left - asked.cost
      key.leftAt = now
    }
    for (const { shown } of reported) addTo(usage, `${place} over_limit_reported ${shown}`)
  }
  return tell('accepted', key.quota === null ? undefined : left - asked.cost)
}

function addTo(usage: Map<string, number>, what: string, count = 1): void {
  usage.set(what, (usage.get(what) ?? 0) + count)
}

/** What a process has gathered is written. */
function written(model: Model, which: 0 | 1): void {
  const { usage, used } = model.processes[which]
  for (const [what, count] of usage) addTo(model.usage, what, count)
  for (const [secret, at] of used) secret.lastUsedAt = Math.max(at, secret.lastUsedAt ?? 0)
  usage.clear()
  used.clear()
}

/** A command on some key: with what the model and the keyring know of it. */
function onKey<Given extends { readonly which: 0 | 1; readonly index: number }>(
  name: string,
  arbitrary: fc.Arbitrary<Given>,
  run: (at: {
    readonly given: Given
    readonly model: Model
    readonly key: ModelKey
    readonly keyring: OpenKeyring<Scope>
    readonly now: number
  }) => Promise<void>,
): fc.Arbitrary<Command> {
  return arbitrary.map((given) => ({
    toString: () => `${name} ${JSON.stringify(given)}`,
    check: ({ keys }) => keys.length > 0,
    async run(model, { keyrings, time }) {
      const key = model.keys[given.index % model.keys.length]
      const keyring = keyrings[given.which]
      assert.ok(key !== undefined && keyring !== undefined)
      await run({ given, model, key, keyring, now: time.now })
    },
  }))
}

/** A verb that a revoked key refuses, and that changes nothing where it says so. */
async function changing(
  { model, key }: { readonly model: Model; readonly key: ModelKey },
  verb: Promise<{ readonly key: { readonly revision: number } }>,
  { unless = false, nothing = false }: { readonly unless?: boolean; readonly nothing?: boolean } = {},
): Promise<boolean> {
  if (key.revoked || unless) {
    await assert.rejects(verb, { code: 'conflict' })
    return false
  }
  const { key: changed } = await verb
  if (!nothing) key.revision = ++model.changes
  assert.equal(changed.revision, key.revision)
  return !nothing
}

const which = fc.constantFrom(0 as const, 1 as const)
const index = fc.nat()
const ownerName = fc.constantFrom('acme', 'umbrella')
const environment = fc.constantFrom('live', 'live', 'test')
const grants = fc.subarray([...scopeNames, 'orders:*', 'reports:*'] as const)
const limits = fc.uniqueArray(
  fc.record(
    {
      name: fc.constantFrom('burst', 'steady'),
      limit: fc.integer({ min: 1, max: 4 }),
      window: fc.constantFrom(1, 2),
      reportOnly: fc.constant(true),
    },
    { requiredKeys: ['name', 'limit', 'window'], noNullPrototype: true },
  ),
  { selector: ({ name }) => name, maxLength: 2 },
)
const quota = fc.record(
  { amount: fc.nat({ max: 4 }), refill: fc.constantFrom('hour', 'day', 'week', 'month', null) },
  { noNullPrototype: true },
)
const addresses = fc.constant(['192.0.2.0/24'])
const metadata = fc.constantFrom<Metadata[]>(
  {},
  { plan: 'pro' },
  { plan: null },
  { seats: { used: 1, free: 2 } },
  { seats: { used: null } },
  { seats: ['a', null] },
)
/** From now on, in milliseconds. */
const soon = fc.integer({ min: 1, max: 4000 })

const members: fc.Arbitrary<Patch> = fc.record(
  {
    name: fc.constantFrom('Shop', 'Till'),
    owner: ownerName,
    scopes: fc.oneof(fc.constant(['orders:*' as const]), grants),
    metadata,
    notBefore: fc.option(soon, { freq: 1 }),
    expiresAt: fc.option(soon, { freq: 1 }),
    addresses: fc.option(addresses, { freq: 1 }),
    limits: fc.option(limits),
    quota: fc.option(quota),
  },
  { requiredKeys: [], noNullPrototype: true },
)

/** Members as they are given to the keyring: moments are from now on. */
function fromNow({ notBefore, expiresAt, ...rest }: Patch, now: number): Patch {
  return {
    ...rest,
    ...(notBefore === undefined ? {} : { notBefore: notBefore === null ? null : now + notBefore }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : now + expiresAt }),
  }
}

/** RFC 7396, as its own text says it; `null` for all of it clears it. */
function mergePatch(target: JsonValue, patch: JsonValue): never {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return (patch ?? {}) as never
  const result: Record<string, JsonValue> = { ...(Array.isArray(target) ? {} : (target as object)) }
  for (const [name, value] of Object.entries(patch as Metadata)) {
    if (value === null) delete result[name]
    else result[name] = mergePatch(result[name] ?? {}, value)
  }
  return result as never
}

/** Puts members into a key of the model: what is left out stays, `null` clears. */
function put(key: ModelKey, patch: Patch, now: number): void {
  if (patch.name !== undefined) key.name = patch.name
  if (patch.owner !== undefined) key.owner = patch.owner
  if (patch.scopes !== undefined) key.scopes = patch.scopes
  if (patch.metadata !== undefined) key.metadata = mergePatch(key.metadata, patch.metadata ?? null)
  if (patch.notBefore !== undefined) key.notBefore = patch.notBefore
  if (patch.expiresAt !== undefined) key.expiresAt = patch.expiresAt
  if (patch.addresses !== undefined) key.addresses = patch.addresses
  if (patch.limits !== undefined) key.limits = patch.limits ?? []
  if (patch.quota === undefined) return
  const [before, given] = [key.quota, patch.quota]
  key.quota = given
  if (given !== null && before !== null && (given.refill ?? null) === (before.refill ?? null)) {
    // What was spent stays spent.
    key.left = Math.max(0, key.left + given.amount - before.amount)
    return
  }
  key.left = given?.amount ?? 0
  key.leftAt = now
}

function newModelKey(
  id: string,
  inEnvironment: string,
  secret: { text: string; start: string; createdAt: number },
  revision: number,
): ModelKey {
  return {
    id,
    environment: inEnvironment,
    secrets: [{ ...secret, endsAt: null, lastUsedAt: null }],
    name: '',
    owner: '',
    scopes: [],
    metadata: {},
    notBefore: null,
    expiresAt: null,
    addresses: null,
    limits: [],
    quota: null,
    left: 0,
    leftAt: 0,
    disabled: false,
    revoked: false,
    revision,
  }
}

const wanted = { name: 'Key', owner: 'acme', scopes: [] }

const issue = fc.record({ which, environment, members }).map((command): Command => ({
  toString: () => `issue ${JSON.stringify(command)}`,
  check: () => true,
  async run(model, { keyrings, time: { now } }) {
    const options = { ...wanted, ...fromNow(command.members, now), environment: command.environment }
    const issuing = keyrings[command.which]?.issue(options)
    assert.ok(issuing)
    const { notBefore = null, expiresAt = null } = options
    if (notBefore !== null && expiresAt !== null && notBefore >= expiresAt) {
      await assert.rejects(issuing, { code: 'invalid_input' })
      return
    }
    const { key: issued, secret } = await issuing
    const key = newModelKey(
      issued.id,
      command.environment,
      { text: secret, start: issued.start, createdAt: issued.createdAt },
      ++model.changes,
    )
    put(key, options, now)
    model.keys.push(key)
  },
}))

const bulk = fc
  .record({ which, count: fc.integer({ min: 1, max: 3 }), token: fc.constantFrom('one', 'other', undefined) })
  .map((command): Command => ({
    toString: () => `issue in bulk ${JSON.stringify(command)}`,
    check: () => true,
    async run(model, { keyrings, time: { now } }) {
      const { count, token } = command
      const before = token === undefined ? undefined : model.done.get(token)
      const options = token === undefined ? {} : { idempotencyKey: token }
      const issuing = keyrings[command.which]?.issueMany(
        Array.from({ length: count }, () => wanted),
        options,
      )
      assert.ok(issuing)
      if (before !== undefined && before.body !== String(count)) {
        await assert.rejects(issuing, { code: 'idempotency_key_reused' })
        return
      }
      const done = await issuing
      assert.equal(done.repeated, before !== undefined)
      if (done.repeated) {
        assert.deepEqual(
          done.keys.map((key) => key?.id),
          before?.ids,
        )
        return
      }
      for (const { key: issued, secret } of done.created) {
        const key = newModelKey(
          issued.id,
          'live',
          { text: secret, start: issued.start, createdAt: issued.createdAt },
          ++model.changes,
        )
        put(key, wanted, 0)
        model.keys.push(key)
      }
      const ids = done.created.map(({ key }) => key.id)
      if (token === undefined) return
      for (const [old, { at }] of model.done) if (at < now - day) model.done.delete(old)
      model.done.set(token, { body: String(count), ids, at: now })
    },
  }))

const importing = fc
  .record({
    which,
    algorithm: fc.constantFrom('sha256' as const, 'sha512' as const),
    known: fc.nat({ max: 5 }),
    members,
  })
  .map((command): Command => ({
    toString: () => `import ${JSON.stringify(command)}`,
    check: () => true,
    async run(model, { keyrings, time: { now } }) {
      const { algorithm } = command
      const text = `an older key, number ${command.known}`
      const { notBefore: _, expiresAt: _1, ...others } = command.members
      const patch = fromNow(others, now)
      const item = { ...wanted, ...patch, hash: sha(algorithm, text), algorithm, bits: 128, start: 'an older' }
      const done = keyrings[command.which]?.importMany([item])
      assert.ok(done)
      // By the other hash nobody can tell that it is the same secret.
      if (
        model.keys.some(({ secrets }) => secrets.some((secret) => secret.text === text && secret.start === algorithm))
      ) {
        await assert.rejects(done, { code: 'conflict' })
        return
      }
      const made = await done
      assert.ok(!made.repeated)
      const [imported] = made.created
      assert.ok(imported)
      const key = newModelKey(
        imported.id,
        'live',
        { text, start: algorithm, createdAt: imported.createdAt },
        ++model.changes,
      )
      put(key, { ...wanted, ...patch }, now)
      model.keys.push(key)
    },
  }))

const change = onKey(
  'change',
  fc.record({ which, index, members, ifRevision: fc.option(fc.constantFrom(0, 1)) }),
  async ({ given: { members: patched, ifRevision }, model, key, keyring, now }) => {
    const patch = fromNow(patched, now)
    const options = ifRevision === null ? {} : { ifRevision: key.revision + ifRevision }
    const verb = keyring.change(key.id, patch, options)
    if (ifRevision === 1) {
      await assert.rejects(verb, { code: 'precondition_failed' })
      return
    }
    const changed = { ...key }
    put(changed, patch, now)
    const { notBefore, expiresAt } = changed
    if (!key.revoked && notBefore !== null && expiresAt !== null && notBefore >= expiresAt) {
      await assert.rejects(verb, { code: 'invalid_input' })
      return
    }
    const same = ({ name, owner, scopes: granted, metadata: noted, addresses: from, limits: held }: ModelKey): string =>
      JSON.stringify([name, owner, granted, noted, from, held])
    const nothing =
      same(key) === same(changed) &&
      key.notBefore === notBefore &&
      key.expiresAt === expiresAt &&
      JSON.stringify([key.quota?.amount, key.quota?.refill]) ===
        JSON.stringify([changed.quota?.amount, changed.quota?.refill])
    if (await changing({ model, key }, verb, { nothing })) put(key, patch, now)
  },
)

const stepQuota = onKey(
  'step quota',
  fc.record({ which, index, step: fc.integer({ min: -4, max: 4 }).filter((step) => step !== 0) }),
  async ({ given: { step }, model, key, keyring, now }) => {
    const verb = keyring.change(key.id, { quota: step < 0 ? { take: -step } : { add: step } })
    if (!key.revoked && key.quota === null) {
      await assert.rejects(verb, { code: 'conflict' })
      return
    }
    if (!(await changing({ model, key }, verb, {}))) return
    key.left = Math.max(0, leftAt(key, now) + step)
    key.leftAt = now
  },
)

const rotate = onKey(
  'rotate',
  fc.record({ which, index, grace: fc.constantFrom(0, 1, 2, 3600) }),
  async ({ given: { grace }, model, key, keyring, now }) => {
    const rotating = key.secrets.some(({ endsAt }) => endsAt !== null && endsAt > now)
    const lately = key.rotatedAt !== undefined && now - key.rotatedAt < 1000
    const verb = keyring.rotate(key.id, { grace })
    if (!(await changing({ model, key }, verb, { unless: rotating || lately }))) return
    key.rotatedAt = now
    const { secret, oldEndsAt, key: shown } = await verb
    assert.equal(oldEndsAt, now + grace * 1000)
    const old = key.secrets.at(-1)
    assert.ok(old)
    old.endsAt = oldEndsAt
    key.secrets.push({
      text: secret,
      start: shown.start,
      rotated: now > shown.createdAt,
      createdAt: now,
      endsAt: null,
      lastUsedAt: null,
    })
  },
)

const retire = onKey('retire', fc.record({ which, index }), async ({ model, key, keyring, now }) => {
  const old = key.secrets.find(({ endsAt }) => endsAt !== null && endsAt > now)
  if (await changing({ model, key }, keyring.retire(key.id), { nothing: old === undefined })) {
    assert.ok(old)
    old.endsAt = now
  }
})

const switching = onKey(
  'disable or enable',
  fc.record({ which, index, off: fc.boolean() }),
  async ({ given: { off }, model, key, keyring }) => {
    const verb = off ? keyring.disable(key.id) : keyring.enable(key.id)
    if (await changing({ model, key }, verb, { nothing: key.disabled === off })) key.disabled = off
  },
)

const revoke = onKey('revoke', fc.record({ which, index }), async ({ model, key, keyring }) => {
  const { key: revoked } = await keyring.revoke(key.id, { reason: 'unused' })
  if (!key.revoked) key.revision = ++model.changes
  key.revoked = true
  assert.equal(revoked.revision, key.revision)
})

const changeOwner = fc
  .record({
    which,
    owner: ownerName,
    patch: fc.record(
      { disabled: fc.boolean(), limits: fc.option(limits) },
      { requiredKeys: [], noNullPrototype: true },
    ),
  })
  .map((command): Command => ({
    toString: () => `change owner ${JSON.stringify(command)}`,
    check: () => true,
    async run(model, { keyrings }) {
      const { owner, patch } = command
      const verb = keyrings[command.which]?.changeOwner(owner, patch)
      assert.ok(verb)
      const known = model.owners.get(owner)
      // Limits are for any owner; whether it is disabled is for one that is known.
      const makes = patch.limits !== undefined
      if (!makes && known === undefined && !model.keys.some((key) => key.owner === owner)) {
        await assert.rejects(verb, { code: 'unknown_owner' })
        return
      }
      const before: ModelOwner = known ?? { disabled: false, limits: [], revision: 0 }
      const expected: ModelOwner = {
        ...before,
        disabled: patch.disabled ?? before.disabled,
        limits: patch.limits === undefined ? before.limits : (patch.limits ?? []),
      }
      if (JSON.stringify(before) !== JSON.stringify(expected)) {
        expected.revision = ++model.changes
        model.owners.set(owner, expected)
      }
      const { owner: changed } = await verb
      assert.deepEqual(
        { disabled: changed.disabled, limits: changed.limits, revision: changed.revision },
        { ...expected },
      )
    },
  }))

const asked = fc.record({
  environment,
  allOf: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(scopeNames)),
  anyOf: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.subarray(scopeNames)),
  cost: fc.constantFrom(1, 1, 1, 0, 2, 5),
  ip: fc.constantFrom('192.0.2.7', '192.0.2.7', '198.51.100.1', undefined),
  dryRun: fc.constantFrom(false, false, false, true),
})

const verify = onKey(
  'verify',
  fc.record({ which, index, secret: index, asked }),
  async ({ given: command, model, key, keyring, now }) => {
    const secret = key.secrets[command.secret % key.secrets.length]
    assert.ok(secret)
    // A secret that was imported by both hashes belongs to the key that has the SHA-256.
    const holder = model.keys.find(({ secrets }) =>
      secrets.some(({ text, start }) => text === secret.text && start === 'sha256'),
    )
    const owning = holder ?? key
    const held = owning.secrets.find(({ text }) => text === secret.text)
    assert.ok(held)
    const { ip, dryRun, allOf, anyOf, ...rest } = command.asked
    const requirement = {
      ...rest,
      ...(allOf.length === 0 ? {} : { allOf }),
      ...(anyOf.length === 0 ? {} : { anyOf }),
    }
    const verdict = await keyring.verify(secret.text, requirement, { ip, dryRun })
    const expected = judged(model, { which: command.which, now, key: owning, secret: held }, command.asked)
    assert.equal(verdict.ok ? 'accepted' : verdict.refusal.code, expected.code)
    if (!verdict.ok) {
      assert.equal(verdict.keyId, owning.id)
      return
    }
    assert.equal(verdict.key.id, owning.id)
    assert.deepEqual(
      [verdict.key.name, verdict.key.owner, verdict.key.metadata],
      [owning.name, owning.owner, owning.metadata],
    )
    assert.equal(verdict.retiring?.until ?? null, held.endsAt)
    assert.equal(verdict.limits?.find(({ name }) => name === 'quota')?.remaining, expected.left)
  },
)

const verifyUnknown = fc
  .record({ which, text: fc.constantFrom('no key of ours', '', undefined) })
  .map((command): Command => ({
    toString: () => `verify an unknown key ${JSON.stringify(command)}`,
    check: () => true,
    async run(model, { keyrings, time: { now } }) {
      const presented = command.text === undefined ? mint({ prefix: 'lk', environment: 'live' }) : command.text
      const verdict = await keyrings[command.which]?.verify(presented)
      const code = command.text === undefined ? 'unknown' : command.text === '' ? 'missing' : 'malformed'
      assert.ok(verdict?.ok === false)
      assert.equal(verdict.refusal.code, code)
      addTo(model.processes[command.which].usage, `${now - (now % hour)}   ${code}`)
    },
  }))

// Longer than a slice of the longest window, so that the limiter counts as exactly as the model does.
const pass = fc.constantFrom(34, 500, 1000, 1000, 2000, hour, day, 31 * day).map((milliseconds): Command => ({
  toString: () => `${milliseconds} ms pass`,
  check: () => true,
  async run(_model, { time }) {
    time.now += milliseconds
  },
}))

const reopen = which.map((process): Command => ({
  toString: () => `reopen ${process}`,
  check: () => true,
  async run(model, real) {
    await real.keyrings[process]?.close()
    written(model, process)
    model.processes[process] = newProcess()
    real.keyrings[process] = await real.open()
  },
}))

const flush = which.map((process): Command => ({
  toString: () => `write the usage of ${process}`,
  check: () => true,
  async run(model, { keyrings, time }) {
    await keyrings[process]?.flushUsage()
    written(model, process)
    const told = await keyrings[1 - process]?.usage({ from: 0, to: time.now + 1, limit: 10_000 })
    const rows = told?.usage.flatMap(({ hour: at, key, owner, outcome, limitName, count, cost }) => {
      const place = `${at} ${key} ${owner} ${outcome} ${limitName}`.trimEnd()
      if (outcome !== 'accepted') assert.equal(cost, 0)
      return [`${place}: ${count}`, ...(outcome === 'accepted' ? [`${place} cost: ${cost}`] : [])]
    })
    assert.deepEqual(rows?.toSorted(), [...model.usage].map(([what, count]) => `${what}: ${count}`).toSorted())
  },
}))

const list = fc
  .record({
    which,
    owner: fc.option(ownerName, { nil: undefined }),
    environment: fc.option(environment, { nil: undefined }),
    scope: fc.option(fc.constantFrom(...scopeNames), { nil: undefined }),
    state: fc.option(fc.constantFrom('active', 'revoked', 'disabled', 'owner_disabled', 'expired', 'pending'), {
      nil: undefined,
    }),
  })
  .map((command): Command => ({
    toString: () => `list ${JSON.stringify(command)}`,
    check: () => true,
    async run(model, { keyrings, time: { now } }) {
      const { which: process, owner, environment: of, scope, state } = command
      const filter = {
        ...(owner !== undefined && { owner }),
        ...(of !== undefined && { environment: of }),
        ...(scope !== undefined && { scope }),
        ...(state !== undefined && { state }),
      }
      const page = await keyrings[process]?.list({ ...filter, limit: 1000 })
      const expected = model.keys.filter(
        (key) =>
          (owner === undefined || key.owner === owner) &&
          (of === undefined || key.environment === of) &&
          (scope === undefined || key.scopes.includes(scope) || key.scopes.includes(`${scope.split(':')[0]}:*`)) &&
          (state === undefined || stateAt(model, key, now) === state),
      )
      assert.deepEqual(
        page?.keys.map(({ id, name, state: shown, revision }) => [id, name, shown, revision]),
        expected.map((key) => [key.id, key.name, stateAt(model, key, now), key.revision]),
      )
    },
  }))

const find = onKey('find', fc.record({ which, index }), async ({ model, key, keyring, now }) => {
  const found = await keyring.find(key.id)
  assert.ok(found)
  const { id, name, owner, environment: of, scopes: granted, notBefore, expiresAt, limits: held, revision } = found
  assert.deepEqual(
    { id, name, owner, environment: of, scopes: granted, notBefore, expiresAt, limits: held, revision },
    {
      id: key.id,
      name: key.name,
      owner: key.owner,
      environment: key.environment,
      scopes: key.scopes,
      notBefore: key.notBefore,
      expiresAt: key.expiresAt,
      limits: key.limits,
      revision: key.revision,
    },
  )
  assert.equal(found.state, stateAt(model, key, now))
  assert.equal(found.quotaLeft?.remaining, key.quota === null ? undefined : leftAt(key, now))
  const working = key.secrets.filter(({ endsAt }) => endsAt === null || endsAt > now)
  assert.deepEqual(
    found.secrets.map(({ endsAt, lastUsedAt }) => [endsAt, lastUsedAt]),
    working.map(({ endsAt, lastUsedAt }) => [endsAt, lastUsedAt]).toReversed(),
  )
  const used = key.secrets.map(({ lastUsedAt }) => lastUsedAt ?? 0)
  assert.equal(found.lastUsedAt ?? 0, Math.max(...used))
})

const journal = which.map((process): Command => ({
  toString: () => `check the journal on ${process}`,
  check: () => true,
  async run({ changes }, { keyrings }) {
    const report = await keyrings[process]?.verifyJournal()
    assert.deepEqual([report?.intact, report?.entries], [true, changes])
  },
}))

const folder = temporaryFolder('model')
let files = 0

/** Two keyrings on a new file, whose leases end by a clock that moves when something waits for them. */
async function twoKeyrings(opened: (file: string) => Store): Promise<Real> {
  const file = join(folder, `${files++}.db`)
  const time = { now: Date.UTC(2030, 0, 31, 23, 59, 50) }
  let waited = 0
  const clock: Clock = { now: () => time.now, monotonic: () => time.now + waited }
  const open = (): Promise<OpenKeyring<Scope>> => {
    const store = opened(file)
    return openKeyring({
      store: {
        ...store,
        async settled() {
          waited += store.lease
          return { ...unknownInstances, waitedMs: store.lease }
        },
      },
      scopes,
      clock,
      limiter: memoryLimiter({ clock: { monotonic: () => time.now } }),
      cacheSize: 4,
      usageInterval: 2 ** 30,
    })
  }
  return { time, keyrings: [await open(), await open()], open }
}

const commands = fc.commands(
  [
    issue,
    issue,
    bulk,
    importing,
    change,
    change,
    stepQuota,
    rotate,
    rotate,
    retire,
    switching,
    revoke,
    changeOwner,
    changeOwner,
    ...Array.from({ length: 8 }, () => verify),
    verifyUnknown,
    pass,
    pass,
    reopen,
    flush,
    list,
    find,
    find,
    journal,
  ],
  { maxCommands: 100, size: 'max' },
)

const speeds: Readonly<Record<string, readonly [opened: (file: string) => Store, runs: number]>> = {
  'at once': [storeIn, 40],
  // What may read many rows is read in a thread, by a connection of its own.
  late: [(file) => lateStore(sqliteStore({ file })), 15],
}

for (const [speed, [opened, numRuns]] of Object.entries(speeds)) {
  test(`any sequence of verbs, of time passing and of reopening is what a plain model says, on a store that answers ${speed}`, async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (sequence) => {
        const real = await twoKeyrings(opened)
        const model: Model = {
          keys: [],
          owners: new Map(),
          processes: [newProcess(), newProcess()],
          usage: new Map(),
          done: new Map(),
          changes: 0,
        }
        await fc.asyncModelRun(() => ({ model, real }), sequence)
        for (const keyring of real.keyrings) await keyring.close()
      }),
      { numRuns },
    )
  })
}
