import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { ErrorCode } from '../../src/error.ts'
import type { IssueOptions } from '../../src/keyring/issue.ts'
import { pages } from '../../src/pages.ts'
import type { ListOptions } from '../../src/keyring/reading/list.ts'
import type { RefusalRecord } from '../../src/verify/refusal-record.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import type { MetadataFilter } from '../../src/keyring/reading/metadata-filter.ts'
import { mint } from '../../src/secret/mint.ts'
import type { CallContext, Requirement } from '../../src/verify/verdict.ts'
import { entriesOf } from '../../../../test/entries.ts'

/** What the keyring under test is opened with; its environments are `live` and `test`. */
export const conformanceScopes = {
  'orders:read': 'Read orders',
  'orders:write': 'Change orders',
  'reports:read': 'Read reports',
}

type Scope = keyof typeof conformanceScopes

/** A keyring under test: new, empty but for the key that it may itself be asked with. */
export interface KeyringUnderTest {
  readonly keyring: Keyring<Scope>
  /** Writes what was counted so far. */
  readonly flushUsage: () => Promise<void>
  /** Removes what is left when the keyring was closed. */
  readonly remove: () => Promise<void>
}

const codeIs = (code: ErrorCode) => (error: unknown) => {
  assert.equal((error as { code?: unknown }).code, code, String(error))
  return true
}

/** What every keyring must keep, on whichever side of the wire. */
export function keyringConformance(name: string, make: () => Promise<KeyringUnderTest>): void {
  describe(`keyring: ${name}`, () => {
    let underTest: KeyringUnderTest
    let keyring: Keyring<Scope>
    let count = 0

    before(async () => {
      underTest = await make()
      keyring = underTest.keyring
    })
    after(async () => {
      // The last test has closed it, if it was reached.
      await keyring.close().catch(() => undefined)
      await underTest.remove()
    })

    /** An owner of its own for each test. */
    const someone = (): string => `owner ${++count}`

    async function issued(options: Partial<IssueOptions<Scope>> = {}) {
      return keyring.issue({ name: 'A key', owner: someone(), scopes: ['orders:read'], ...options })
    }

    async function outcome(
      secret: string | undefined,
      requirement?: Requirement<Scope>,
      call?: CallContext,
    ): Promise<string> {
      const verdict = await keyring.verify(secret, requirement, call)
      return verdict.ok ? 'accepted' : verdict.refusal.code
    }

    test('tells its scopes and environments', () => {
      assert.deepEqual({ ...keyring.scopes }, conformanceScopes)
      assert.deepEqual(keyring.environments, ['live', 'test'])
    })

    test('an issued key is accepted, found and listed, with all that it was given', async () => {
      const given = {
        name: 'Everything',
        owner: someone(),
        environment: 'test',
        scopes: ['orders:*', 'reports:read'],
        metadata: { plan: 'pro' },
        notBefore: Date.now() - 1000,
        expiresAt: Date.now() + 3_600_000,
        addresses: ['192.0.2.0/24'],
        limits: [{ name: 'burst', limit: 5, window: 60 }],
        quota: { amount: 10, refill: 'day' },
      } as const
      const { key, secret } = await keyring.issue(given)
      const { quota, ...members } = given
      const shown = JSON.parse(JSON.stringify(key)) as Readonly<Record<string, unknown>>
      for (const [member, value] of Object.entries(members)) assert.deepEqual(shown[member], value, member)
      assert.deepEqual([key.quota, key.quotaLeft?.remaining, key.state], [{ ...quota }, 10, 'active'])
      assert.equal(typeof key.quotaLeft?.refillsAt, 'number')
      assert.deepEqual(JSON.stringify(await keyring.find(key.id)), JSON.stringify(key))
      const listed = await keyring.list({ owner: given.owner })
      assert.deepEqual([listed.keys.map(({ id }) => id), listed.cursor], [[key.id], null])

      const verdict = await keyring.verify(
        secret,
        { environment: 'test', allOf: ['orders:write'] },
        { ip: '192.0.2.7' },
      )
      assert.ok(verdict.ok)
      assert.deepEqual(verdict.key.scopes.toSorted(), ['orders:read', 'orders:write', 'reports:read'])
      assert.deepEqual([verdict.key.id, { ...verdict.key.metadata }], [key.id, { plan: 'pro' }])
      assert.deepEqual(
        verdict.limits?.map((limit) => [limit.name, limit.limit, limit.remaining, limit.exceeded]),
        [
          ['burst', 5, 4, false],
          ['quota', 10, 9, false],
        ],
      )
    })

    test('each reason to refuse has its code, and nothing that is sent makes verify throw', async () => {
      const { secret } = await issued()
      const bound = await issued({ addresses: ['192.0.2.0/24'] })
      const later = await issued({ notBefore: Date.now() + 3_600_000 })
      const last = secret.at(-1) === '0' ? '1' : '0'
      assert.equal(await outcome(secret), 'accepted')
      assert.equal(await outcome(undefined), 'missing')
      assert.equal(await outcome(''), 'missing')
      assert.equal(await outcome('what is this'), 'malformed')
      assert.equal(await outcome('x'.repeat(5000)), 'malformed')
      assert.equal(await outcome('\ud800\u0000"'), 'malformed')
      assert.equal(await outcome(secret.slice(0, -1) + last), 'mistyped')
      assert.equal(await outcome(mint({ prefix: 'lk', environment: 'live' })), 'unknown')
      assert.equal(await outcome(secret, { environment: 'test' }), 'wrong_environment')
      assert.equal(await outcome(secret, { environment: ['test', 'live'] }), 'accepted')
      assert.equal(await outcome(secret, { environment: ['test'] }), 'wrong_environment')
      assert.equal(await outcome(secret, { environment: null }), 'accepted')
      assert.equal(await outcome(secret, { environment: ['test', 'admin'] }), 'unavailable')
      assert.equal(await outcome(secret, { allOf: ['orders:read', 'orders:write'] }), 'insufficient_scope')
      const lacking = await keyring.verify(secret, { allOf: ['orders:read', 'orders:write'], anyOf: ['orders:write'] })
      assert.deepEqual(!lacking.ok && lacking.missing, ['orders:write'])
      assert.equal(await outcome(secret, { anyOf: ['orders:read', 'orders:write'] }), 'accepted')
      assert.equal(await outcome(bound.secret), 'address_not_allowed')
      assert.equal(await outcome(bound.secret, {}, { ip: '198.51.100.1' }), 'address_not_allowed')
      assert.equal(await outcome(bound.secret, {}, { ip: 'unknown' }), 'address_not_allowed')
      assert.equal(await outcome(later.secret), 'not_yet_valid')
    })

    test('a refusal tells whose key it was, to those who ask here', async () => {
      const { key, secret } = await issued()
      const refused = await keyring.verify(secret, { environment: 'test' })
      assert.ok(!refused.ok)
      assert.deepEqual([refused.keyId, refused.owner, refused.environment], [key.id, key.owner, 'live'])
    })

    test('a limit and a quota are spent by calls, by what they cost, and not by asking what would be', async () => {
      const limited = await issued({ limits: [{ name: 'burst', limit: 3, window: 60 }] })
      assert.equal(await outcome(limited.secret, { cost: 2 }), 'accepted')
      for (let time = 0; time < 3; time++) assert.equal(await outcome(limited.secret, {}, { dryRun: true }), 'accepted')
      assert.equal(await outcome(limited.secret), 'accepted')
      const over = await keyring.verify(limited.secret)
      assert.ok(!over.ok)
      assert.deepEqual(
        [over.refusal.code, over.refusal.answer.status, over.limits?.[0]?.exceeded],
        ['over_limit', 429, true],
      )
      assert.ok(over.retryAfter !== undefined && over.retryAfter > 0 && over.retryAfter <= 61, String(over.retryAfter))

      const spent = await issued({ quota: { amount: 1 } })
      assert.equal(await outcome(spent.secret), 'accepted')
      assert.equal(await outcome(spent.secret), 'quota_exhausted')
      assert.equal((await keyring.find(spent.key.id))?.quotaLeft?.remaining, 0)
      await keyring.change(spent.key.id, { quota: { add: 3 } })
      const { key: less } = await keyring.change(spent.key.id, { quota: { take: 1 } })
      assert.deepEqual([less.quotaLeft?.remaining, less.quota?.amount], [2, 1])
    })

    test('many calls are verified with one: a verdict for each in order, each by its own requirement or the one for all', async () => {
      const bound = await issued({ addresses: ['192.0.2.0/24'] })
      const limited = await issued({ limits: [{ name: 'burst', limit: 2, window: 60 }] })
      const writing = await issued({ scopes: ['orders:*'] })
      const calls = [
        { credential: 'x'.repeat(5000) },
        { credential: limited.secret, requirement: { cost: 3 } },
        { credential: limited.secret },
        { credential: undefined },
        { credential: limited.secret },
        { credential: bound.secret, ip: '192.0.2.7' },
        { credential: bound.secret, ip: 'nowhere' },
        { credential: limited.secret },
        { credential: writing.secret, requirement: { allOf: ['orders:write'] } },
        { credential: limited.secret, requirement: { anyOf: ['reports:read'] } },
        { credential: writing.secret, requirement: { cost: -1 } },
        { credential: writing.secret },
      ] as const
      const codes = async (dryRun: boolean): Promise<readonly string[]> => {
        const verdicts = await keyring.verifyMany(calls, { requirement: { allOf: ['orders:read'] }, dryRun })
        return verdicts.map((verdict) => (verdict.ok ? verdict.key.id : verdict.refusal.code))
      }
      const dry = await codes(true)
      assert.equal(dry[7], limited.key.id)
      assert.deepEqual(await codes(false), [
        'malformed',
        'over_limit',
        limited.key.id,
        'missing',
        limited.key.id,
        bound.key.id,
        'address_not_allowed',
        'over_limit',
        writing.key.id,
        'insufficient_scope',
        'unavailable',
        writing.key.id,
      ])
      const many = (length: number) => keyring.verifyMany(Array.from({ length }, () => ({ credential: 'x' })))
      assert.equal((await many(100)).length, 100)
      await assert.rejects(many(101), codeIs('invalid_input'))
      await assert.rejects(many(0), codeIs('invalid_input'))
    })

    test('many keys are issued all or none, and with an idempotency key once', async () => {
      const owner = someone()
      const keys = [1, 2, 3].map((number) => ({ name: `Key ${number}`, owner, scopes: ['orders:read'] as const }))
      const token = `once ${owner}`
      const first = await keyring.issueMany(keys, { idempotencyKey: token })
      assert.ok(!first.repeated)
      assert.equal(await outcome(first.created[2]?.secret), 'accepted')
      const second = await keyring.issueMany(keys, { idempotencyKey: token })
      assert.ok(second.repeated)
      assert.deepEqual(
        second.keys.map((key) => key.id),
        first.created.map(({ key }) => key.id),
      )
      await assert.rejects(
        keyring.issueMany(keys.slice(1), { idempotencyKey: token }),
        codeIs('idempotency_key_reused'),
      )
      const bad = [...keys, { name: '', owner, scopes: [] }]
      await assert.rejects(keyring.issueMany(bad), codeIs('invalid_input'))
      await assert.rejects(keyring.issueMany([]), codeIs('invalid_input'))
      assert.equal((await keyring.list({ owner })).keys.length, 3)
    })

    test('keys from elsewhere are taken in by hash and then accepted; the same one twice is a conflict', async () => {
      const owner = someone()
      const texts = ['sk_elsewhere_1', 'sk_elsewhere_2'] as const
      const imported = texts.map((text, index) => {
        const algorithm = index === 0 ? 'sha256' : 'sha512'
        return {
          name: text,
          owner,
          scopes: ['orders:read'],
          hash: hash(algorithm, text),
          algorithm,
          bits: 128,
          start: 'sk_',
        } as const
      })
      const done = await keyring.importMany(imported)
      assert.ok(!done.repeated)
      assert.deepEqual(
        done.created.map(({ start, secrets }) => [start, secrets[0]?.kind]),
        [
          ['sk_', 'sha256'],
          ['sk_', 'sha512'],
        ],
      )
      for (const text of texts) assert.equal(await outcome(text), 'accepted')
      await assert.rejects(keyring.importMany(imported), codeIs('conflict'))
      await assert.rejects(keyring.importMany([{ ...imported[0]!, hash: 'abc' }]), codeIs('invalid_input'))
    })

    test('a change leaves what is left out, clears with null and sets the rest', async () => {
      const { key } = await issued({ metadata: { plan: 'pro' }, expiresAt: Date.now() + 3_600_000 })
      const changed = await keyring.change(key.id, { name: 'Renamed', expiresAt: null }, { note: 'as asked' })
      const { name: renamed, expiresAt, metadata, revision } = changed.key
      assert.deepEqual([renamed, expiresAt, { ...metadata }], ['Renamed', null, { plan: 'pro' }])
      assert.ok(changed.propagation.waitedMs >= 0)
      await assert.rejects(
        keyring.change(key.id, { name: 'Late' }, { ifRevision: key.revision }),
        codeIs('precondition_failed'),
      )
      assert.equal((await keyring.change(key.id, { name: 'In time' }, { ifRevision: revision })).key.name, 'In time')
      await assert.rejects(keyring.change(key.id, { expiresAt: Number.NaN }), codeIs('invalid_input'))
      await assert.rejects(keyring.change(key.id, { environment: 'test' } as object), codeIs('invalid_input'))
      await assert.rejects(keyring.change(key.id, { scopes: ['no:such' as Scope] }), codeIs('unknown_scope'))
      assert.equal((await keyring.find(key.id))?.expiresAt, null)
    })

    test('keys are listed by members of their metadata, and a filter that cannot be asked is refused by name', async () => {
      const owner = someone()
      const { key: gold } = await issued({ owner, metadata: { plan: 'gold', seats: 5, 'Größe & Farbe=': true } })
      const { key: silver } = await issued({ owner, metadata: { plan: 'silver', seats: '5' } })
      const ids = async (metadata: MetadataFilter): Promise<readonly string[]> =>
        (await keyring.list({ owner, metadata })).keys.map(({ id }) => id)
      assert.deepEqual(await ids({ plan: 'gold' }), [gold.id])
      assert.deepEqual(await ids({ plan: 'silver', seats: '5' }), [silver.id])
      assert.deepEqual(await ids({ seats: 5, 'Größe & Farbe=': true }), [gold.id])
      assert.deepEqual(await ids({ 'Größe & Farbe=': null }), [silver.id])
      assert.deepEqual(await ids({ plan: 'gold', seats: '5' }), [])
      const many = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`m${index}`, 1]))
      const hostile = [
        {},
        many,
        [],
        'plan',
        5,
        null,
        new Map([['plan', 'gold']]),
        { '': 1 },
        { 'a"b': 1 },
        { 'a\\b': 1 },
        { 'a\nb': 1 },
        { '\ud800': 1 },
        { ['n'.repeat(65)]: 1 },
        { plan: 't'.repeat(501) },
        { plan: '\ud800' },
        { plan: NaN },
        { plan: undefined, seats: 5 },
        { plan: { gold: true } },
        { plan: ['gold'] },
        { plan: mint({ prefix: 'lk', environment: 'live' }) },
      ]
      for (const metadata of hostile) {
        const refused = keyring.list({ metadata: metadata as MetadataFilter })
        await assert.rejects(refused, { code: 'invalid_input', message: /metadata must / })
      }
    })

    test('a rotated key takes both secrets until the old one is retired', async () => {
      const { key, secret } = await issued()
      const rotated = await keyring.rotate(key.id, { grace: 3600 })
      assert.deepEqual([rotated.key.id, rotated.key.secrets.length], [key.id, 2])
      assert.ok(rotated.oldEndsAt > Date.now() + 3_500_000)
      assert.equal(key.rotation, null)
      await underTest.flushUsage()
      const shown = await keyring.find(key.id)
      assert.equal(shown?.rotation?.oldEndsAt, rotated.oldEndsAt)
      const { keys: listed } = await keyring.list({ owner: key.owner, rotating: true })
      assert.deepEqual(listed[0]?.rotation, shown.rotation)
      const old = await keyring.verify(secret)
      assert.ok(old.ok)
      assert.equal(old.retiring?.until, rotated.oldEndsAt)
      assert.equal(await outcome(rotated.secret), 'accepted')
      await assert.rejects(keyring.rotate(key.id), codeIs('conflict'))
      assert.equal((await keyring.retire(key.id)).key.secrets.length, 1)
      assert.deepEqual([await outcome(secret), await outcome(rotated.secret)], ['secret_ended', 'accepted'])
      await assert.rejects(keyring.rotate(key.id, { grace: -1 }), codeIs('invalid_input'))
    })

    test('a disabled key is refused until it is enabled, a revoked one for good', async () => {
      const { key, secret } = await issued()
      assert.equal((await keyring.disable(key.id)).key.state, 'disabled')
      assert.equal(await outcome(secret), 'disabled')
      assert.equal((await keyring.enable(key.id)).key.state, 'active')
      assert.equal(await outcome(secret), 'accepted')
      const { key: gone } = await keyring.revoke(key.id, { reason: 'compromised', note: 'seen in a log' })
      assert.deepEqual(
        [gone.state, gone.revoked?.reason, gone.revoked?.note],
        ['revoked', 'compromised', 'seen in a log'],
      )
      assert.equal(await outcome(secret), 'revoked')
      assert.equal((await keyring.revoke(key.id, { reason: 'unused' })).key.revoked?.reason, 'compromised')
      await assert.rejects(keyring.enable(key.id), codeIs('conflict'))
      await assert.rejects(keyring.revoke(key.id, { reason: 'because' as 'other' }), codeIs('invalid_input'))
    })

    test('a revoked key is erased once: nothing but an entry of the journal is left of it', async () => {
      const { key, secret } = await issued()
      await assert.rejects(keyring.eraseKey(key.id), codeIs('conflict'))
      const { key: revoked } = await keyring.revoke(key.id, { reason: 'unused' })
      await assert.rejects(keyring.eraseKey(key.id, { ifRevision: key.revision }), codeIs('precondition_failed'))
      const options = { ifRevision: revoked.revision, idempotencyKey: 'erase once' }
      const erased = await keyring.eraseKey(key.id, options)
      assert.deepEqual([erased.cleared, erased.repeated], [true, false])
      assert.equal((await keyring.eraseKey(key.id, options)).repeated, true)
      assert.equal(await keyring.find(key.id), undefined)
      assert.equal(await outcome(secret), 'unknown')
      await assert.rejects(keyring.eraseKey(key.id), codeIs('unknown_key'))
      const [emptied] = await entriesOf(keyring, { after: erased.entry - 2, limit: 1 })
      assert.deepEqual([emptied?.action, emptied?.change, emptied?.emptiedBy], ['revoke', {}, erased.entry])
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
    })

    test('a disabled owner is erased once with its keys, and its name is free again', async () => {
      const { key } = await issued({ owner: 'erased-one' })
      await assert.rejects(keyring.eraseOwner('erased-one'), codeIs('conflict'))
      await keyring.changeOwner('erased-one', { disabled: true })
      await assert.rejects(keyring.eraseOwner('erased-one', { ifRevision: 1 }), codeIs('precondition_failed'))
      const erased = await keyring.eraseOwner('erased-one', { idempotencyKey: 'erase that owner' })
      assert.deepEqual([erased.cleared, erased.repeated], [true, false])
      assert.equal((await keyring.eraseOwner('erased-one', { idempotencyKey: 'erase that owner' })).repeated, true)
      assert.deepEqual([await keyring.owner('erased-one'), await keyring.find(key.id)], [undefined, undefined])
      await assert.rejects(keyring.eraseOwner('erased-one'), codeIs('unknown_owner'))
      await issued({ owner: 'erased-one' })
      assert.equal((await keyring.owner('erased-one'))?.disabled, false)
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
    })

    test('what is not there is not found, and cannot be changed', async () => {
      const id = 'key_00000000000000000000'
      assert.equal(await keyring.find(id), undefined)
      await assert.rejects(keyring.change(id, { name: 'x' }), codeIs('unknown_key'))
      await assert.rejects(keyring.rotate(id), codeIs('unknown_key'))
      await assert.rejects(keyring.disable(id), codeIs('unknown_key'))
      await assert.rejects(keyring.revoke(id, { reason: 'other' }), codeIs('unknown_key'))
      await assert.rejects(keyring.find(''), codeIs('invalid_input'))
      assert.equal(await keyring.owner('nobody'), undefined)
      await assert.rejects(keyring.changeOwner('nobody', { disabled: true }), codeIs('unknown_owner'))
      assert.equal(await keyring.refusal('00000000-0000-4000-8000-000000000000'), undefined)
    })

    test('an owner is disabled with all its keys, and has limits that they share', async () => {
      const { key, secret } = await issued()
      const { owner } = key
      assert.deepEqual(await keyring.owner(owner), {
        owner,
        disabled: false,
        disabledAt: null,
        limits: [],
        revision: 0,
      })
      const { owner: disabled } = await keyring.changeOwner(owner, { disabled: true }, { note: 'unpaid' })
      assert.equal(disabled.disabled, true)
      assert.equal(await outcome(secret), 'owner_disabled')
      assert.equal((await keyring.find(key.id))?.state, 'owner_disabled')
      const stale = keyring.changeOwner(owner, { disabled: false }, { ifRevision: 0 })
      await assert.rejects(stale, codeIs('precondition_failed'))
      const limits = [{ name: 'all', limit: 1, window: 60 }]
      await keyring.changeOwner(owner, { disabled: false, limits }, { ifRevision: disabled.revision })
      assert.deepEqual((await keyring.owner(owner))?.limits, limits)
      assert.deepEqual([await outcome(secret), await outcome(secret)], ['accepted', 'over_limit'])
    })

    test('an owner is listed with its keys, also before it has one, and its limits can be set by then', async () => {
      const early = someone()
      const limits = [{ name: 'all', limit: 1, window: 60 }]
      const { owner: made } = await keyring.changeOwner(early, { limits })
      const { owners: bare, cursor: none } = await keyring.owners({ text: early.toUpperCase() })
      assert.deepEqual([bare.map(({ owner, keys }) => [owner, keys]), none], [[[early, 0]], null])
      await keyring.issueMany(
        ['live', 'test', 'test'].map((environment) => ({ name: 'Key', owner: early, environment, scopes: [] })),
      )
      const [owner] = (await keyring.owners({ text: early })).owners
      const states = { active: 3, pending: 0, expired: 0, disabled: 0, owner_disabled: 0, revoked: 0 }
      assert.deepEqual(owner, { ...made, keys: 3, states })
      const { owners: first, cursor } = await keyring.owners({ limit: 1 })
      assert.ok(first.length === 1 && cursor !== null)
      assert.notEqual((await keyring.owners({ limit: 1, cursor })).owners[0]?.owner, first[0]?.owner)
      await assert.rejects(keyring.owners({ limit: 0 }), codeIs('invalid_input'))
      await assert.rejects(keyring.owners({ cursor: 'nothing' }), codeIs('invalid_input'))
    })

    test('keys are counted by state and environment', async () => {
      const { key } = await issued({ expiresAt: Date.now() + 3_600_000 })
      const { owner } = key
      await keyring.issueMany(
        ['live', 'test'].map((environment) => ({ name: 'Counted', owner, environment, scopes: [] })),
      )
      await keyring.disable((await keyring.list({ owner, environment: 'test' })).keys[0]?.id ?? '')
      const { asOf, ...counts } = await keyring.counts({ owner, expiresBefore: Date.now() + 7_200_000 })
      const none = { active: 0, pending: 0, expired: 0, disabled: 0, owner_disabled: 0, revoked: 0 }
      assert.equal(typeof asOf, 'number')
      assert.deepEqual(counts, {
        keys: 3,
        states: { ...none, active: 2, disabled: 1 },
        expiring: 1,
        environments: [
          { environment: 'live', keys: 2, states: { ...none, active: 2 }, expiring: 1 },
          { environment: 'test', keys: 1, states: { ...none, disabled: 1 }, expiring: 0 },
          { environment: 'admin', keys: 0, states: none, expiring: 0 },
        ],
      })
      assert.equal((await keyring.counts({ owner, environment: 'live' })).expiring, null)
      assert.ok((await keyring.counts()).keys >= 3)
      await assert.rejects(keyring.counts({ environment: 'moon' }), codeIs('invalid_input'))
    })

    test('a list is filtered, and paged without a gap', async () => {
      const owner = someone()
      const keys = Array.from({ length: 5 }, (_, index) => {
        return {
          name: `Listed ${index}`,
          owner,
          scopes: ['orders:read'] as const,
          environment: index < 2 ? 'test' : 'live',
        }
      })
      await keyring.issueMany(keys)
      const names: string[] = []
      const sizes: number[] = []
      for await (const page of pages(keyring.list, { owner, limit: 2 })) {
        names.push(...page.keys.map((key) => key.name))
        sizes.push(page.keys.length)
      }
      assert.deepEqual(sizes, [2, 2, 1])
      assert.deepEqual(
        names,
        keys.map((key) => key.name),
      )
      const found = async (filter: Parameters<typeof keyring.list>[0]): Promise<number> =>
        (await keyring.list({ owner, ...filter })).keys.length
      assert.deepEqual(
        [
          await found({ environment: 'test' }),
          await found({ text: 'LISTED 3' }),
          await found({ scope: 'reports:read' }),
        ],
        [2, 1, 0],
      )
      assert.deepEqual([await found({ state: 'active' }), await found({ state: 'revoked' })], [5, 0])
      await assert.rejects(keyring.list({ limit: 0 }), codeIs('invalid_input'))
      await assert.rejects(keyring.list({ state: 'lost' as 'active' }), codeIs('invalid_input'))
    })

    test('every list is walked through page by page, from a cursor on, and no further than is asked', async () => {
      const owner = someone()
      await keyring.issueMany(Array.from({ length: 3 }, (_, at) => ({ name: `Walked ${at}`, owner, scopes: [] })))
      await keyring.issue({ name: 'Walked', owner: someone(), scopes: [] })
      const lengths = async (walk: AsyncIterable<object>): Promise<number> => {
        let rows = 0
        for await (const page of walk) rows += Object.values(page).find(Array.isArray)?.length ?? 0
        return rows
      }
      const all = { limit: 1000 }
      assert.equal(await lengths(pages(keyring.owners, { limit: 1 })), (await keyring.owners(all)).owners.length)
      assert.equal(await lengths(pages(keyring.journal, { limit: 2, owner })), 3)
      assert.equal(await lengths(pages(keyring.usage, { limit: 1 })), (await keyring.usage(all)).usage.length)
      const { cursor } = await keyring.list({ owner, limit: 1 })
      assert.equal(await lengths(pages(keyring.list, { owner, cursor: cursor ?? '' })), 2)
      let asked = 0
      const counted = async (options?: ListOptions) => {
        asked += 1
        return keyring.list(options)
      }
      for await (const { keys } of pages(counted, { owner, limit: 1 })) {
        assert.equal(keys.length, 1)
        break
      }
      assert.equal(asked, 1)
      await assert.rejects(lengths(pages(keyring.list, { limit: 0 })), codeIs('invalid_input'))
    })

    test('an option of a list that is not understood is refused by its name', async () => {
      const lists: readonly ((strange: object) => Promise<unknown>)[] = [
        keyring.list,
        keyring.owners,
        keyring.counts,
        keyring.journal,
        keyring.usage,
        keyring.usageSeries,
        keyring.refusals,
        keyring.why,
        keyring.verifyJournal,
      ]
      for (const read of lists) {
        for (const strange of [{ ownr: 'acme' }, { signal: new AbortController().signal }]) {
          const [member = ''] = Object.keys(strange)
          await assert.rejects(read(strange), { code: 'invalid_input', message: new RegExp(member) })
        }
        await assert.rejects(read(null as never), { code: 'invalid_input' })
      }
    })

    test('the journal tells what happened, and its chain is whole', async () => {
      const { key } = await issued()
      await keyring.disable(key.id, { note: 'for a while' })
      await keyring.changeOwner(key.owner, { disabled: true })
      const entries = await entriesOf(keyring, { key: key.id })
      assert.deepEqual(
        entries.map(({ action, subject }) => [action, subject]),
        [
          ['issue', key.id],
          ['disable', key.id],
        ],
      )
      assert.equal(entries[1]?.change['note'], 'for a while')
      const newest = await keyring.journal({ owner: key.owner, limit: 2 })
      assert.deepEqual(
        newest.entries.map(({ action, subject }) => [action, subject]),
        [
          ['disable', `owner:${key.owner}`],
          ['disable', key.id],
        ],
        'the newest first, those on its keys too',
      )
      const rest = await keyring.journal({ owner: key.owner, limit: 2, cursor: newest.cursor ?? '' })
      assert.deepEqual([rest.entries.map(({ action }) => action), rest.cursor], [['issue'], null])
      assert.deepEqual(await entriesOf(keyring, { key: key.id, after: entries[1]?.seq ?? 0 }), [])
      assert.deepEqual(await entriesOf(keyring, { key: key.id, to: entries[0]?.at ?? 0 }), [])
      assert.equal((await entriesOf(keyring, { key: key.id, limit: 1 })).length, 1)

      const report = await keyring.verifyJournal()
      assert.ok(report.intact && report.head !== undefined)
      assert.equal(report.entries, report.head.seq)
      const atCheckpoint = await keyring.verifyJournal({ checkpoint: report.head })
      assert.ok(atCheckpoint.intact)
      const rewritten = await keyring.verifyJournal({ checkpoint: { seq: report.head.seq, hash: '0'.repeat(64) } })
      assert.deepEqual(rewritten, {
        intact: false,
        entries: report.entries - 1,
        at: report.entries,
        fault: 'rewritten',
      })
    })

    test('usage is counted by key, owner and outcome', async () => {
      const { key, secret } = await issued()
      await outcome(secret)
      await outcome(secret)
      await outcome(secret, { environment: 'test' })
      await underTest.flushUsage()
      const counted = async (options: object): Promise<unknown> =>
        (await keyring.usage(options)).usage.map(({ outcome: what, count: often }) => `${often} ${what}`).toSorted()
      const both = ['1 wrong_environment', '2 accepted']
      assert.deepEqual(await counted({ key: key.id }), both)
      assert.deepEqual(await counted({ owner: key.owner }), both)
      assert.deepEqual(await counted({ key: key.id, outcome: 'accepted' }), both.slice(1))
      assert.equal(typeof (await keyring.find(key.id))?.lastUsedAt, 'number')
    })

    test('who asks is told what it may do, which is what it can do', async () => {
      const { key, allRights, scopes, environments, delegation } = await keyring.whoami()
      assert.equal(key === null, allRights)
      assert.ok(scopes.includes('keys:write') && scopes.includes('usage:read'), scopes.join())
      assert.deepEqual(environments.toSorted(), ['admin', 'live', 'test'])
      if (key === null) assert.equal(delegation, null)
      else assert.deepEqual((await keyring.find(key.id))?.delegation, delegation)
    })

    test('refusals are listed by key and code, page by page, and read one by one', async () => {
      const { key, secret } = await issued({ limits: [{ name: 'burst', limit: 1, window: 60 }] })
      const codes = ['insufficient_scope', 'over_limit', 'wrong_environment'] as const
      await outcome(secret)
      for (const requirement of [{ allOf: ['orders:write'] }, {}, { environment: 'test' }] as const) {
        const verdict = await keyring.verify(secret, requirement)
        assert.ok(!verdict.ok)
        // A server notes it itself.
        keyring.noteRefusal?.(verdict, { requestId: verdict.refusal.code, requirement })
      }
      await underTest.flushUsage()
      const { refusals } = await keyring.refusals({ key: key.id })
      assert.deepEqual(refusals.map(({ code }) => code).toSorted(), codes)
      for (const refusal of refusals) {
        const again = await keyring.refusal(refusal.requestId)
        assert.deepEqual(again, refusal)
        assert.deepEqual([refusal.keyId, refusal.owner, refusal.environment], [key.id, key.owner, 'live'])
        if (refusal.code === 'insufficient_scope') assert.deepEqual(refusal.missing, ['orders:write'])
        if (refusal.code === 'over_limit') assert.deepEqual(refusal.limit, { name: 'burst', limit: 1, window: 60 })
      }
      assert.equal((await keyring.refusals({ key: key.id, code: 'over_limit' })).refusals.length, 1)
      const walked: RefusalRecord[][] = []
      for await (const page of pages(keyring.refusals, { key: key.id, limit: 2 })) walked.push([...page.refusals])
      assert.ok(walked.length > 1)
      assert.deepEqual(walked.flat(), refusals)
    })

    test('why the calls of a key, an owner or a request fail is told together, with the change that led to it', async () => {
      const { key, secret } = await issued({ owner: 'why' })
      await outcome(secret)
      await keyring.disable(key.id, { note: 'unpaid' })
      const verdict = await keyring.verify(secret)
      assert.ok(!verdict.ok)
      keyring.noteRefusal?.(verdict, { requestId: 'why-disabled', requirement: {} })
      await underTest.flushUsage()
      const byKey = await keyring.why({ key: key.id, minutes: 5 })
      assert.ok(byKey !== undefined)
      const [refusal] = byKey.refusals
      assert.deepEqual(byKey.refusals, [await keyring.refusal(refusal?.requestId ?? '')])
      const { entries } = await keyring.journal({ key: key.id })
      assert.deepEqual(byKey.entries, entries)
      assert.deepEqual(byKey.causes, [{ key: key.id, code: 'disabled', entry: entries[0] }])
      assert.deepEqual(Object.fromEntries(byKey.usage.map((one) => [one.outcome, one.count])), {
        accepted: 1,
        disabled: 1,
      })
      assert.deepEqual([byKey.refusal, byKey.complete], [null, true])
      assert.equal(byKey.to - byKey.from, 600_000)
      assert.deepEqual((await keyring.why({ owner: 'why' }))?.causes, byKey.causes)
      const asked = await keyring.why({ requestId: `urn:uuid:${refusal?.requestId}` })
      assert.deepEqual([asked?.refusal, asked?.causes], [refusal, byKey.causes])
      const earlier = await keyring.why({ key: key.id, at: byKey.from - 3_600_000, minutes: 1 })
      assert.deepEqual([earlier?.refusals, earlier?.entries, earlier?.causes], [[], [], []])
      assert.ok(
        (await keyring.why({}))?.refusals.some(({ code }) => code === 'disabled'),
        'of all keys',
      )
      assert.equal(await keyring.why({ requestId: 'nobody-knows-it' }), undefined)
      await assert.rejects(keyring.why({ owner: 'nobody at all' }), codeIs('unknown_owner'))
      await assert.rejects(keyring.why({ key: 'key_0' }), codeIs('unknown_key'))
      for (const wrong of [
        { owner: 'a', key: 'b' },
        { owner: 'a', minutes: 0 },
        { requestId: 'a', at: 1 },
      ])
        await assert.rejects(keyring.why(wrong), codeIs('invalid_input'))
    })

    test('usage is summed up by the hour and by the day, for each of what is asked for', async () => {
      const owner = 'summed'
      const [one, other] = [await issued({ owner }), await issued({ owner })]
      for (const cost of [2, 3]) await outcome(one.secret, { cost })
      await outcome(other.secret)
      await outcome(other.secret, { environment: 'test' })
      await underTest.flushUsage()
      const now = Date.now()
      const sums = await keyring.usageSeries({ owner, by: 'key', step: 'hour', top: 1, outcome: 'accepted' })
      assert.deepEqual(
        sums.series.map(({ group, total }) => [group, total]),
        [[one.key.id, { count: 2, cost: 5 }]],
      )
      assert.deepEqual(sums.others?.total, { count: 1, cost: 1 })
      const steps = (sums.to - sums.from) / 3_600_000
      assert.deepEqual([sums.series[0]?.count.length, sums.others?.cost.length], [steps, steps])
      assert.ok(sums.asOf <= now && sums.asOf > now - 60_000)
      const byDay = await keyring.usageSeries({ owner })
      assert.deepEqual([byDay.step, byDay.by, byDay.others], ['day', 'outcome', null])
      assert.deepEqual(
        byDay.series.map(({ group, total }) => [group, total.count, total.cost]),
        [
          ['accepted', 3, 6],
          ['wrong_environment', 1, 0],
        ],
      )
    })

    test('names in any script arrive as they are', async () => {
      for (const owner of ['ä/ö ?#%2F', '日本語', 'a'.repeat(120), '🗝'.repeat(60), '...']) {
        const { key } = await issued({ owner, name: owner })
        assert.deepEqual([key.owner, key.name], [owner, owner])
        assert.equal((await keyring.owner(owner))?.owner, owner)
        assert.equal((await keyring.list({ owner })).keys.length, 1)
      }
    })

    test('after it was closed verify refuses, and does not throw', async () => {
      const { secret } = await issued()
      await keyring.close()
      assert.equal(await outcome(secret), 'unavailable')
    })
  })
}
