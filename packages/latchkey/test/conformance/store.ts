import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { chain } from '../../src/journal/chain.ts'
import { verifyJournal } from '../../src/journal/verify-journal.ts'
import { blankKey } from '../../src/keyring/new-key.ts'
import type {
  Change,
  ChangesSince,
  EntryFilter,
  CountFilter,
  SecretMatch,
  JournalDraft,
  JournalEntry,
  JournalHead,
  KeyListPage,
  ListFilter,
  RefusalDraft,
  ListPosition,
  OwnerFilter,
  Store,
  StoredKey,
  StoredRefusal,
  StoredSecret,
  Touched,
  Witness,
} from '../../src/ports.ts'
import { recordRefusals, recordUsage } from './record.ts'
import { everyUse } from './usage.ts'

/** A store under test: opens the same, new and empty, data as often as it is asked. */
export interface StoreUnderTest {
  open(): Store | Promise<Store>
  /** Notes all that is there, and answers what puts it back in place of what is there by then, while stores are open. */
  backup(): Promise<() => Promise<void>>
  /** Whether what was deleted can be overwritten. */
  readonly overwrites: boolean
  /** Removes the data; every store is closed by then. */
  remove(): void | Promise<void>
}

let number = 0

/** One look at the journal, as a cache takes it. */
export async function changesSince(store: Store, seen: JournalHead | undefined): Promise<ChangesSince> {
  return store.follow(() => {}).changesSince(seen)
}

/** What a look says of entries. */
export function touchedBy(entries: readonly JournalEntry[] | undefined): readonly Touched[] {
  return (entries ?? []).map(({ seq, action, subject, previous, hash }) => ({ seq, action, subject, previous, hash }))
}

/** A key of its own, and its secret. */
interface Made {
  readonly key: Omit<StoredKey, 'revision'>
  readonly secret: StoredSecret
}

/** A key of its own, and its secret, which no other has. */
export function newKey(overrides: Partial<StoredKey> = {}): Made {
  number++
  const key = {
    ...blankKey,
    id: `key_${number}`,
    name: `Key ${number}`,
    owner: 'acme',
    environment: 'live',
    scopes: ['orders:read'],
    start: 'lk_live_abcd',
    createdAt: 1000,
    salt: `salt ${number}`,
    ...overrides,
  }
  return { key, secret: newSecret() }
}

/** A secret that no other key has. */
export function newSecret(overrides: Partial<StoredSecret> = {}): StoredSecret {
  number++
  return {
    hash: number.toString(16).padStart(64, '0'),
    kind: 'minted',
    before: null,
    start: 'lk_live_abcd',
    createdAt: 1000,
    retiredAt: null,
    endsAt: null,
    ended: false,
    lastUsedAt: null,
    issuedBy: null,
    ...overrides,
  }
}

function draft(subject: string, action: JournalDraft['action'] = 'issue'): JournalDraft {
  return { at: 1000, actor: 'test', action, subject, change: '{}' }
}

/** A refusal of a key of its own. */
export function refusalOf(overrides: Partial<RefusalDraft> = {}): RefusalDraft {
  return {
    requestIds: ['request'],
    at: 1000,
    instance: 'host 1',
    address: '192.0.2.7',
    route: 'GET /orders',
    requirement: { scopes: ['orders:read'], anyOf: [], environments: ['live'], cost: 1 },
    code: 'insufficient_scope',
    key: 'key_a',
    owner: 'acme',
    environment: 'live',
    missing: ['orders:read'],
    limit: { name: 'burst', limit: 10, window: 60 },
    count: 1,
    ...overrides,
  }
}

export const manyRefusals = { known: 1000, perKey: 1000, strangers: 1000 }

/** The change that inserts a key. */
export function inserting(made: Made): Change {
  return { kind: 'insert', ...made, quota: null, draft: draft(made.key.id) }
}

function revoking(key: StoredKey): Change {
  return { kind: 'update', key: { ...key, revokedAt: 2000, revokedReason: 'unused' }, draft: draft(key.id, 'revoke') }
}

/** The filter that every key passes. */
export const everything: ListFilter = {
  owner: undefined,
  environments: undefined,
  states: undefined,
  grants: undefined,
  text: undefined,
  now: 1500,
  order: 'oldest',
  after: undefined,
  limit: 1000,
}

/** What every store must keep. Run over each of them. */
export function storeConformance(name: string, make: () => StoreUnderTest): void {
  describe(`store: ${name}`, () => {
    const opened: Store[] = []
    const created: StoreUnderTest[] = []

    const { overwrites } = make()

    function fresh(): { readonly open: () => Promise<Store>; readonly backup: StoreUnderTest['backup'] } {
      const underTest = make()
      created.push(underTest)
      return {
        async open() {
          const store = await underTest.open()
          opened.push(store)
          return store
        },
        backup: () => underTest.backup(),
      }
    }

    after(async () => {
      for (const store of opened) await store.close()
      for (const underTest of created) await underTest.remove()
    })

    test('a committed key is found by the hash of its secret and by its id', async () => {
      const store = await fresh().open()
      const one = newKey({ name: "Ünïcode “quotes” ' \\ ; --", metadata: { plan: 'pro', __proto__x: '' } })
      const other = newKey({
        notBefore: 1,
        expiresAt: 8.64e15,
        scopes: [],
        environment: 'admin',
        addresses: ['192.0.2.0/24'],
        limits: [{ name: 'burst', limit: 5, window: 1, reportOnly: true }],
        quota: { amount: 10, refill: 'month' },
        delegation: { owner: null, environments: ['live'], scopes: ['orders:*'] },
        disabledAt: 3,
      })
      const entries = await store.commit([inserting(one), inserting(other)], chain)
      assert.deepEqual(
        entries?.map(({ seq }) => seq),
        [1, 2],
      )
      for (const [index, { key, secret }] of [one, other].entries()) {
        const kept = { key: { ...key, revision: index + 1 }, owner: undefined }
        assert.deepEqual(await store.bySecret(secret.hash), { ...kept, secret })
        assert.deepEqual(await store.byId(key.id), { ...kept, secrets: [secret], quotas: [] })
      }
      assert.equal(await store.bySecret('f'.repeat(64)), undefined)
      assert.equal(await store.byId('nobody'), undefined)
    })

    test('any text that a key may carry comes back as it was', async () => {
      const store = await fresh().open()
      const text = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
        .filter((value) => !/\p{Cc}|\p{Cs}/u.test(value))
      await fc.assert(
        fc.asyncProperty(text, text, fc.dictionary(text, text, { maxKeys: 4 }), async (keyName, owner, metadata) => {
          const made = newKey({ name: keyName, owner, metadata: { ...metadata } })
          await store.commit([inserting(made)], chain)
          const found = await store.bySecret(made.secret.hash)
          assert.deepEqual({ ...found?.key, revision: 0 }, { ...made.key, revision: 0 })
        }),
        { numRuns: 50 },
      )
    })

    test('a change and its journal entry are kept together', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], chain)
      const stored = await store.byId(made.key.id)
      assert.ok(stored)
      await store.commit([revoking(stored.key)], chain)
      const changed = (await store.byId(made.key.id))?.key
      assert.equal(changed?.revokedAt, 2000)
      assert.equal(changed?.revision, 2)
      assert.deepEqual(
        (await store.journal({ after: 0, limit: 10 })).map(({ seq, action, subject }) => [seq, action, subject]),
        [
          [1, 'issue', made.key.id],
          [2, 'revoke', made.key.id],
        ],
      )
      assert.equal(await store.newestRevision(), 2)
    })

    test('a change keeps all that it gives, and what identifies a key and its issue stays', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], chain)
      const changed = {
        ...made.key,
        revision: 1,
        name: 'Another name',
        owner: 'umbrella',
        scopes: ['orders:*'],
        metadata: { plan: 'pro' },
        notBefore: 1,
        expiresAt: 2,
        addresses: ['192.0.2.0/24'],
        limits: [{ name: 'minute', limit: 1, window: 60 }],
        quota: { amount: 1, refill: 'day' },
        disabledAt: 4,
        revokedAt: 3,
        revokedReason: 'other',
        revokedNote: 'a note',
      } as const
      await store.commit([{ kind: 'update', key: changed, draft: draft(made.key.id, 'revoke') }], chain)
      assert.deepEqual((await store.byId(made.key.id))?.key, { ...changed, revision: 2 })
    })

    test('no change is made to a key that somebody else has changed since', async () => {
      const store = await fresh().open()
      const [one, other] = [newKey(), newKey()]
      await store.commit([inserting(one)], chain)
      const seen = await store.byId(one.key.id)
      assert.ok(seen)
      await store.commit([revoking(seen.key)], chain)
      // The insert stands before the conflict: it must not stay either.
      assert.equal(await store.commit([inserting(other), revoking(seen.key)], chain), undefined)
      assert.equal(await store.byId(other.key.id), undefined)
      assert.equal(await store.bySecret(other.secret.hash), undefined)
      assert.equal((await store.journal({ after: 0, limit: 10 })).length, 2)
    })

    test('a commit that fails in the middle leaves nothing behind, and the next one works', async () => {
      const store = await fresh().open()
      const [one, other] = [newKey(), newKey()]
      await store.commit([inserting(one)], chain)
      const again = inserting({ key: one.key, secret: newSecret() })
      await assert.rejects(async () => store.commit([inserting(other), again], chain))
      assert.equal(await store.byId(other.key.id), undefined)
      assert.equal((await store.journal({ after: 0, limit: 10 })).length, 1)
      let chained = 0
      const failing = (): never => {
        chained++
        throw new Error('chain fails')
      }
      await assert.rejects(async () => store.commit([inserting(other)], failing), /chain fails/)
      assert.equal(chained, 1, 'what fails by itself is not tried again')
      await store.commit([inserting(other)], chain)
      assert.equal((await verifyJournal(store)).intact, true)
    })

    test('changes made through several handles form one journal without gaps', async () => {
      const { open } = fresh()
      const handles = await Promise.all([open(), open(), open()])
      await Promise.all(
        Array.from({ length: 60 }, async (_, index) => handles[index % 3]?.commit([inserting(newKey())], chain)),
      )
      const [first] = handles
      assert.ok(first)
      assert.deepEqual(await verifyJournal(first), {
        intact: true,
        entries: 60,
        head: (await first.journal({ after: 59, limit: 1 })).map(({ seq, hash }) => ({ seq, hash }))[0],
      })
    })

    /** The end of the journal, as anybody reads it. */
    async function headOf(store: Store): Promise<JournalHead | undefined> {
      const last = (await store.journal({ after: 0, limit: 10_000 })).at(-1)
      return last === undefined ? undefined : { seq: last.seq, hash: last.hash }
    }

    test('a look names what has changed since and how, whoever changed it', async () => {
      const { open } = fresh()
      const [ours, theirs] = [await open(), await open()]
      const [one, other] = [newKey(), newKey()]
      assert.deepEqual(await changesSince(ours, undefined), { head: undefined, changed: [], imported: [] })
      const issued = touchedBy(await theirs.commit([inserting(one)], chain))
      const first = await changesSince(ours, undefined)
      assert.deepEqual(first, { head: await headOf(theirs), changed: issued, imported: [] })
      const issuedToo = touchedBy(await ours.commit([inserting(other)], chain))
      const stored = await ours.byId(one.key.id)
      assert.ok(stored)
      const revoked = touchedBy(await ours.commit([revoking(stored.key)], chain))
      const changed = [...issuedToo, ...revoked]
      assert.deepEqual(
        changed.map(({ subject, action }) => [subject, action]),
        [
          [other.key.id, 'issue'],
          [one.key.id, 'revoke'],
        ],
      )
      const head = await headOf(theirs)
      assert.deepEqual(await changesSince(ours, first.head), { head, changed, imported: [] })
      assert.deepEqual(await changesSince(ours, head), { head, changed: [], imported: [] })
    })

    test('a look does not lose what happened between two looks of different callers', async () => {
      const { open } = fresh()
      const [ours, theirs] = [await open(), await open()]
      const made = newKey()
      const issued = touchedBy(await theirs.commit([inserting(made)], chain))
      assert.equal((await changesSince(ours, undefined)).head?.seq, 1)
      // A second keyring on the same store has seen nothing yet.
      assert.deepEqual((await changesSince(ours, undefined)).changed, issued)
    })

    test('a look that would have to name too many says so', async () => {
      const store = await fresh().open()
      const keys = Array.from({ length: 1001 }, () => inserting(newKey()))
      const entries = await store.commit(keys, chain)
      const head = await headOf(store)
      assert.deepEqual(await changesSince(store, undefined), { head, changed: 'everything', imported: [] })
      assert.equal((await changesSince(store, entries?.[0])).changed.length, 1000)
    })

    for (const [journal, later] of [
      ['ends before', 0],
      ['has reached again', 1],
      ['has gone beyond', 2],
    ] as const) {
      test(`everything has changed where a backup was restored, in a journal that ${journal} what was seen`, async () => {
        const { open, backup } = fresh()
        const [ours, theirs] = [await open(), await open()]
        const [made, lost] = [newKey(), newKey()]
        await theirs.commit([inserting(made)], chain)
        const before = await changesSince(ours, undefined)
        const restore = await backup()
        await theirs.commit([inserting(lost)], chain)
        const seen = await changesSince(ours, before.head)
        assert.equal(seen.head?.seq, 2)
        await restore()
        for (let count = 0; count < later; count++) await theirs.commit([inserting(newKey())], chain)
        const head = await headOf(theirs)
        assert.equal(head?.seq, 1 + later)
        assert.deepEqual(await changesSince(ours, seen.head), { head, changed: 'everything', imported: [] })
        assert.equal(await ours.bySecret(lost.secret.hash), undefined)
        // Who has seen no more than what is still there has nothing to forget.
        assert.equal((await changesSince(ours, before.head)).changed.length, later)
        await ours.commit([inserting(newKey())], chain)
        assert.equal((await verifyJournal(ours)).intact, true)
      })
    }

    test('settled waits until every lease taken before it has ended', async () => {
      const store = await fresh().open()
      const began = performance.now()
      const { instances } = await store.settled(0)
      // Where all caches are known, none has a lease here.
      if (instances === null) assert.ok(performance.now() - began >= store.lease)
      else assert.equal(instances, 0)
    })

    test('lists are in the order of issue, by owner and state, page after page without loss or repetition', async () => {
      const store = await fresh().open()
      const states = {
        active: { notBefore: 1000, expiresAt: 1501 },
        pending: { notBefore: 1501 },
        expired: { expiresAt: 1500 },
        revoked: { revokedAt: 1, revokedReason: 'unused' },
      } as const
      const keys = Array.from({ length: 40 }, (_, index) => {
        const state = (['active', 'pending', 'expired', 'revoked'] as const)[index % 4] ?? 'active'
        return { state, owner: index % 3 === 0 ? 'acme' : 'umbrella', ...newKey(states[state]) }
      })
      for (const { owner, key, secret } of keys)
        await store.commit([inserting({ key: { ...key, owner }, secret })], chain)

      for (const owner of [undefined, 'acme', 'umbrella', 'nobody']) {
        for (const state of [undefined, 'active', 'pending', 'expired', 'revoked'] as const) {
          const expected = keys
            .filter(
              (made) => (owner === undefined || made.owner === owner) && (state === undefined || made.state === state),
            )
            .map(({ key }) => key.id)
          const listed: string[] = []
          let next: ListPosition | undefined
          do {
            const page: KeyListPage = await store.list({
              ...everything,
              owner,
              states: state && [state],
              after: next,
              limit: 3,
            })
            listed.push(...page.items.map(({ key }) => key.id))
            ;({ next } = page)
          } while (next !== undefined)
          assert.deepEqual(listed, expected, `${owner} ${state}`)
        }
      }
    })

    test('keys are counted with the commit that writes them, once each, by owner and environment', async () => {
      const { open } = fresh()
      const [store, other] = [await open(), await open()]
      const none = { active: 0, pending: 0, expired: 0, disabled: 0, owner_disabled: 0, revoked: 0 }
      const all: CountFilter = { owner: undefined, environments: undefined, now: 1500, expiresBefore: 0 }
      assert.deepEqual(await store.counts(all), [])
      const [one, two, later, elsewhere] = [
        newKey(),
        newKey({ expiresAt: 2000 }),
        newKey({ owner: 'umbrella', notBefore: 1600, expiresAt: 1700 }),
        newKey({ environment: 'test', owner: 'umbrella' }),
      ] as const
      await store.commit([one, two, later, elsewhere].map(inserting), chain)
      const at = async (now: number, filter: Partial<CountFilter> = {}): Promise<object> => {
        const counted = await other.counts({ ...all, ...filter, now, expiresBefore: 1800 })
        return Object.fromEntries(counted.map(({ environment, states, expiring }) => [environment, [states, expiring]]))
      }
      assert.deepEqual(await at(1500), {
        live: [{ ...none, active: 2, pending: 1 }, 1],
        test: [{ ...none, active: 1 }, 0],
      })
      assert.deepEqual(await at(1700, { environments: ['live'] }), { live: [{ ...none, active: 2, expired: 1 }, 0] })
      assert.deepEqual(await at(2000, { owner: 'acme' }), { live: [{ ...none, active: 1, expired: 1 }, 0] })
      const umbrella = { owner: 'umbrella', disabledAt: 5, limits: [], revision: 0 }
      await store.commit([{ kind: 'owner', owner: umbrella, draft: draft('owner:umbrella', 'disable') }], chain)
      await store.commit([revoking({ ...two.key, revision: 2 })], chain)
      // What is not committed is not counted.
      assert.equal(await store.commit([inserting(newKey()), revoking({ ...one.key, revision: 99 })], chain), undefined)
      const live = { ...none, active: 1, owner_disabled: 1, revoked: 1 }
      assert.deepEqual(await at(1500), { live: [live, 0], test: [{ ...none, owner_disabled: 1 }, 0] })
      assert.deepEqual(await at(1500, { owner: 'nobody' }), {})
    })

    test('owners are listed by name, those with keys and those with a record, page after page', async () => {
      const store = await fresh().open()
      const names = ['b', 'B', 'a', 'Ab', 'zoo']
      await store.commit(
        names.map((owner) => inserting(newKey({ owner }))),
        chain,
      )
      await store.commit([inserting(newKey({ owner: 'b', environment: 'test' }))], chain)
      const bare = { owner: 'aa', disabledAt: null, limits: [{ name: 'all', limit: 1, window: 1 }], revision: 0 }
      await store.commit([{ kind: 'owner', owner: bare, draft: draft('owner:aa', 'change') }], chain)
      const all: OwnerFilter = {
        owner: undefined,
        environments: undefined,
        withoutKeys: true,
        text: undefined,
        after: undefined,
        now: 1500,
        limit: 1000,
      }
      const listed = async (filter: Partial<OwnerFilter> = {}): Promise<readonly string[]> =>
        (await store.owners({ ...all, ...filter })).map(({ owner }) => owner.owner)
      assert.deepEqual(await listed(), ['a', 'aa', 'Ab', 'B', 'b', 'zoo'])
      assert.deepEqual(await listed({ limit: 2 }), ['a', 'aa'])
      assert.deepEqual(await listed({ after: 'aa', limit: 2 }), ['Ab', 'B'])
      assert.deepEqual(await listed({ after: 'B' }), ['b', 'zoo'])
      assert.deepEqual(await listed({ text: 'A' }), ['a', 'aa', 'Ab'])
      assert.deepEqual(await listed({ text: 'a', after: 'a' }), ['aa', 'Ab'])
      assert.deepEqual([await listed({ text: 'c' }), await listed({ text: '%' })], [[], []])
      assert.deepEqual(await listed({ environments: ['test'], withoutKeys: false }), ['b'])
      assert.deepEqual(await listed({ withoutKeys: false, text: 'a' }), ['a', 'Ab'])
      assert.deepEqual([await listed({ owner: 'b' }), await listed({ owner: 'c' })], [['b'], []])
      const [b] = await store.owners({ ...all, owner: 'b' })
      assert.deepEqual(b?.owner, { owner: 'b', disabledAt: null, limits: [], revision: 0 })
      assert.deepEqual(
        b?.keys.map(({ environment, states }) => [environment, states.active]),
        [
          ['live', 1],
          ['test', 1],
        ],
      )
      const [aa] = await store.owners({ ...all, owner: 'aa' })
      assert.deepEqual(aa, { owner: { ...bare, revision: names.length + 2 }, keys: [] })
    })

    test('a list shows only what was asked for: environment, scope or its wildcard, part of a text', async () => {
      const store = await fresh().open()
      const keys = {
        reader: newKey({ scopes: ['orders:read'], name: 'Shop 100%_off' }),
        all: newKey({ scopes: ['orders:*'], owner: 'Umbrella' }),
        other: newKey({ scopes: ['orders:readall', 'reports:read'], environment: 'test' }),
      }
      await store.commit(Object.values(keys).map(inserting), chain)
      const ids = (names: readonly (keyof typeof keys)[]): readonly string[] => names.map((shown) => keys[shown].key.id)
      const asked: readonly [Partial<ListFilter>, readonly (keyof typeof keys)[]][] = [
        [{}, ['reader', 'all', 'other']],
        [{ environments: ['live'] }, ['reader', 'all']],
        [{ environments: ['test', 'live'] }, ['reader', 'all', 'other']],
        [{ grants: ['orders:read', 'orders:*'] }, ['reader', 'all']],
        [{ grants: ['reports:read', 'reports:*'] }, ['other']],
        [{ text: 'shop 100%_' }, ['reader']],
        [{ text: '0%_' }, ['reader']],
        [{ text: '%' }, []],
        [{ text: 'sH' }, ['reader']],
        [{ text: 'UMBR' }, ['all']],
        [{ text: keys.other.key.id.toUpperCase() }, ['other']],
        [{ text: 'umbr', environments: ['test'] }, []],
      ]
      for (const [filter, expected] of asked) {
        const { items } = await store.list({ ...everything, ...filter })
        assert.deepEqual(
          items.map(({ key }) => key.id),
          ids(expected),
          JSON.stringify(filter),
        )
      }
    })

    test('a rotated key has two secrets, and each knows when it ends', async () => {
      const store = await fresh().open()
      const made = newKey()
      const second = newSecret({ createdAt: 2000 })
      await store.commit([inserting(made)], chain)
      const before = await store.byId(made.key.id)
      assert.ok(before)
      const rotation = { ...draft(made.key.id, 'rotate'), at: 2000 }
      const update = { kind: 'update', key: before.key, draft: rotation } as const
      const ending = { ...made.secret, retiredAt: 2000, endsAt: 9000 }
      await store.commit([{ ...update, secrets: [ending, second] }], chain)
      const [first, old] = (await store.byId(made.key.id))?.secrets ?? []
      assert.deepEqual([first, old], [second, ending])
      assert.deepEqual((await store.bySecret(made.secret.hash))?.secret, old)
      assert.deepEqual((await store.bySecret(second.hash))?.secret, second)

      const rotated = await store.byId(made.key.id)
      assert.ok(rotated)
      const retirement = { kind: 'update', key: rotated.key, draft: draft(made.key.id, 'retire') } as const
      const ended = { ...ending, endsAt: 5000, ended: true }
      await recordUsage(store, { counts: [], lastUsed: new Map([[ended.hash, 3000]]) })
      await store.commit([{ ...retirement, secrets: [ended] }], chain)
      assert.deepEqual((await store.byId(made.key.id))?.secrets, [second, { ...ended, lastUsedAt: 3000 }])
    })

    test('a secret keeps its own last use when its key gets another, and when that one goes', async () => {
      const store = await fresh().open()
      const made = newKey()
      const second = newSecret({ createdAt: 2000 })
      await store.commit([inserting(made)], chain)
      const use = async (hash: string, at: number): Promise<void> =>
        recordUsage(store, { counts: [], lastUsed: new Map([[hash, at]]) })
      const change = async (
        changed: Pick<Extract<Change, { kind: 'update' }>, 'secrets' | 'dropped'>,
      ): Promise<void> => {
        const seen = await store.byId(made.key.id)
        assert.ok(seen)
        assert.ok(await store.commit([{ kind: 'update', key: seen.key, ...changed, draft: draft(made.key.id) }], chain))
      }
      const uses = async (): Promise<Record<string, number | null>> => {
        const secrets = (await store.byId(made.key.id))?.secrets ?? []
        return Object.fromEntries(secrets.map(({ hash, lastUsedAt }) => [hash, lastUsedAt]))
      }
      for (const at of [1500, 1700]) await use(made.secret.hash, at)
      assert.deepEqual(await uses(), { [made.secret.hash]: 1700 })
      await change({ secrets: [{ ...made.secret, retiredAt: 2000, endsAt: 9000 }, second] })
      assert.deepEqual(await uses(), { [made.secret.hash]: 1700, [second.hash]: null })
      for (const at of [2100, 2300]) await use(second.hash, at)
      for (const at of [2400, 2500]) await use(made.secret.hash, at)
      assert.deepEqual(await uses(), { [made.secret.hash]: 2500, [second.hash]: 2300 })
      assert.equal((await store.list(everything)).items[0]?.lastUsedAt, 2500)

      await change({ dropped: [made.secret.hash] })
      assert.deepEqual(await uses(), { [second.hash]: 2300 })
      await use(second.hash, 3000)
      assert.deepEqual(await uses(), { [second.hash]: 3000 })
      await change({ secrets: [{ ...second, retiredAt: 4000, endsAt: 9000 }] })
      for (const at of [4100, 4200]) await use(second.hash, at)
      assert.deepEqual(await uses(), { [second.hash]: 4200 })
      assert.equal((await store.list(everything)).items[0]?.lastUsedAt, 4200)
    })

    test('a secret of another key is not taken over by a change', async () => {
      const store = await fresh().open()
      const [one, other] = [newKey(), newKey()]
      await store.commit([inserting(one), inserting(other)], chain)
      const seen = await store.byId(one.key.id)
      assert.ok(seen)
      const taking = { kind: 'update', key: seen.key, secrets: [{ ...other.secret, ended: true }] } as const
      assert.equal(await store.commit([{ ...taking, draft: draft(one.key.id, 'rotate') }], chain), undefined)
      assert.deepEqual((await store.bySecret(other.secret.hash))?.secret, other.secret)
      assert.deepEqual((await store.byId(one.key.id))?.key, seen.key)
    })

    test('a change for as long as a secret was never used is not made once it was', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], chain)
      const change = async (): Promise<unknown> => {
        const seen = await store.byId(made.key.id)
        assert.ok(seen)
        const drafted = draft(made.key.id, 'rotate')
        return store.commit([{ kind: 'update', key: seen.key, unused: [made.secret.hash], draft: drafted }], chain)
      }
      assert.ok(await change())
      await recordUsage(store, { counts: [], lastUsed: new Map([[made.secret.hash, 3000]]) })
      assert.equal(await change(), undefined)
      assert.equal((await store.journal({ after: 0, limit: 10 })).length, 2)
    })

    test('a change is made only while the admin key that asks for it is what it was', async () => {
      const store = await fresh().open()
      const admin = newKey({ environment: 'admin', owner: 'umbrella' })
      await store.commit([inserting(admin)], chain)
      let now = 1000
      const witness = { id: admin.key.id, revision: 1, ownerRevision: 0, expiresAt: 2000, now: () => now }
      const issue = async (authority: Witness): Promise<boolean> => {
        const made = newKey()
        const entries = await store.commit([inserting(made)], chain, { authority })
        assert.equal(
          (await store.byId(made.key.id)) === undefined,
          entries === undefined,
          'the row is what was answered',
        )
        return entries !== undefined
      }
      assert.equal(await issue(witness), true)
      assert.equal(await issue({ ...witness, id: 'key_nobody' }), false)
      now = 2000
      assert.equal(await issue(witness), false, 'it has expired while the change waited')
      assert.equal(await issue({ ...witness, expiresAt: null }), true)
      now = 1000
      const owner = { owner: 'umbrella', disabledAt: 5, limits: [], revision: 0 }
      await store.commit([{ kind: 'owner', owner, draft: draft('owner:umbrella', 'disable') }], chain)
      assert.equal(await issue(witness), false, 'its owner has changed')
      const ownerRevision = (await store.owner('umbrella'))?.revision ?? 0
      assert.equal(await issue({ ...witness, ownerRevision }), true)
      // The secret that it was verified with must work, by the clock as it is then.
      const { hash } = admin.secret
      assert.equal(await issue({ ...witness, ownerRevision, secret: hash }), true)
      assert.equal(await issue({ ...witness, ownerRevision, secret: 'f'.repeat(64) }), false)
      // What is to be left must be left.
      const left = { ...witness, ownerRevision }
      const leaving = async (other: Witness): Promise<boolean> =>
        (await store.commit([inserting(newKey())], chain, { left: other })) !== undefined
      assert.deepEqual([await leaving(left), await leaving({ ...left, revision: 9 })], [true, false])
      const seen = await store.byId(admin.key.id)
      assert.ok(seen)
      await store.commit([revoking(seen.key)], chain)
      assert.equal(await issue({ ...witness, ownerRevision }), false, 'it has changed')
    })

    test('a secret that is there already is not taken a second time, and nothing with it', async () => {
      const store = await fresh().open()
      const [one, other] = [newKey(), newKey()]
      await store.commit([inserting(one)], chain)
      assert.equal(await store.commit([inserting({ ...other, secret: one.secret })], chain), undefined)
      assert.equal(await store.byId(other.key.id), undefined)
      assert.equal((await store.journal({ after: 0, limit: 10 })).length, 1)
    })

    test('an owner is found with its keys, and changed by one at a time', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], chain)
      assert.equal(await store.owner('acme'), undefined)
      const owner = { owner: 'acme', disabledAt: 5, limits: [{ name: 'all', limit: 9, window: 60 }], revision: 0 }
      const changing = { kind: 'owner', owner, draft: draft('owner:acme', 'disable') } as const
      await store.commit([changing], chain)
      const kept = { ...owner, revision: 2 }
      assert.deepEqual(await store.owner('acme'), kept)
      const found: SecretMatch | undefined = await store.bySecret(made.secret.hash)
      assert.deepEqual(found?.owner, kept)
      assert.deepEqual((await store.byId(made.key.id))?.owner, kept)
      assert.equal((await store.list({ ...everything, states: ['owner_disabled'] })).items[0]?.ownerDisabled, true)
      assert.equal(await store.newestRevision(), 2)
      // Whoever saw it before, or saw none, is too late.
      assert.equal(await store.commit([changing], chain), undefined)
      assert.equal(await store.commit([{ ...changing, owner: { ...kept, revision: 1 } }], chain), undefined)
      await store.commit([{ ...changing, owner: { ...kept, disabledAt: null } }], chain)
      assert.equal((await store.owner('acme'))?.disabledAt, null)
    })

    test('what must happen once happens once, whoever is quicker, and is remembered', async () => {
      const { open } = fresh()
      const handles = await Promise.all([open(), open()])
      const idempotent = { actor: 'me', idempotencyKey: 'one', fingerprint: 'f', at: 1 }
      const tries = Array.from({ length: 16 }, () => newKey())
      const done = await Promise.all(
        tries.map(async (made, index) => handles[index % 2]?.commit([inserting(made)], chain, { idempotent })),
      )
      const winners = done.flatMap((entries, index) => (entries === undefined ? [] : [tries[index]?.key.id]))
      assert.equal(winners.length, 1)
      const [store] = handles
      assert.deepEqual(await store?.idempotentResult(idempotent), { fingerprint: 'f', ids: winners, seq: 1 })
      assert.equal(await store?.idempotentResult({ actor: 'you', idempotencyKey: 'one' }), undefined)
      assert.equal((await store?.list(everything))?.items.length, 1)
      // Done again on purpose, it is what was done last: for one of many that know the same.
      const again = [newKey(), newKey()]
      const redone = await Promise.all(
        again.map(async (made, index) =>
          handles[index]?.commit([inserting(made)], chain, { idempotent: { ...idempotent, after: 1 } }),
        ),
      )
      assert.equal(redone.filter((entries) => entries === undefined).length, 1)
      const [entry] = redone.find((entries) => entries !== undefined) ?? []
      assert.deepEqual(await store?.idempotentResult(idempotent), { fingerprint: 'f', ids: [entry?.subject], seq: 2 })
      const other = { ...idempotent, fingerprint: 'g', after: 2 }
      assert.equal(await store?.commit([inserting(newKey())], chain, { idempotent: other }), undefined)
      const idle = { ...idempotent, idempotencyKey: 'two' }
      assert.deepEqual(await store?.commit([], chain, { idempotent: idle }), [])
      assert.deepEqual(await store?.idempotentResult(idle), { fingerprint: 'f', ids: [], seq: 2 })
      assert.equal(await store?.commit([], chain, { idempotent: { ...idle, fingerprint: 'g' } }), undefined)
    })

    test('a quota is spent exactly, by however many at idempotent, and filled up with a new period', async () => {
      const { open } = fresh()
      const handles = await Promise.all([open(), open(), open()])
      const [store] = handles
      assert.ok(store)
      const quota = { amount: 50, refill: null }
      const made = newKey({ quota })
      const left50 = { remaining: 50, period: 0 }
      await store.commit([{ kind: 'insert', ...made, quota: left50, draft: draft(made.key.id) }], chain)
      const spending = { cost: 1, quota, period: 0 }
      const spent = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => handles[index % 3]?.spend(made.key.id, spending)),
      )
      const left = spent.filter((remaining) => remaining !== undefined).toSorted((one, other) => one - other)
      assert.deepEqual(
        left,
        Array.from({ length: 50 }, (_, index) => index),
      )
      const quotas = async (): Promise<unknown> => (await store.byId(made.key.id))?.quotas
      assert.deepEqual(await quotas(), [{ remaining: 0, period: 0 }])
      assert.equal(await store.spend(made.key.id, { ...spending, cost: 51, period: 10 }), undefined)
      assert.equal(await store.spend(made.key.id, { ...spending, cost: 20, period: 10 }), 30)
      assert.equal(await store.spend(made.key.id, { ...spending, cost: 31, period: 10 }), undefined)
      assert.equal(await store.spend('nobody', spending), undefined)
      // One who knows an older quota neither spends nor fills up by it.
      const older = { cost: 1, quota: { amount: 1000, refill: 'month' as const }, period: 20 }
      assert.equal(await store.spend(made.key.id, older), undefined)
      const both = [
        { remaining: 0, period: 0 },
        { remaining: 30, period: 10 },
      ]
      assert.deepEqual(await quotas(), both)
    })

    test('a clock that jumps to another period and back leaves each what it had, and the store remembers no end of them', async () => {
      const store = await fresh().open()
      const quota = { amount: 5, refill: 'day' as const }
      const made = newKey({ quota })
      await store.commit(
        [{ kind: 'insert', ...made, quota: { remaining: 5, period: 100 }, draft: draft(made.key.id) }],
        chain,
      )
      const spend = (period: number, cost = 1) => store.spend(made.key.id, { cost, quota, period })
      assert.equal(await spend(100, 3), 2)
      assert.equal(await spend(900, 5), 0, 'it jumps')
      assert.equal(await spend(900), undefined)
      assert.equal(await spend(100), 1, 'and back')
      assert.equal(await spend(100, 2), undefined)
      // The days go on, and those that came by the jump are still told apart from those that come by time.
      for (const period of [101, 102]) assert.equal(await spend(period, 5), 0)
      assert.equal(await spend(900), undefined)
      for (let period = 103; period < 120; period++) assert.equal(await spend(period, 4), 1)
      assert.deepEqual(
        (await store.byId(made.key.id))?.quotas.map(({ period }) => period),
        [116, 117, 118, 119],
      )
      const stored = await store.byId(made.key.id)
      assert.ok(stored)
      const filling = { remaining: 5, period: 119 }
      await store.commit(
        [{ kind: 'update', key: stored.key, quota: filling, draft: draft(made.key.id, 'change') }],
        chain,
      )
      const quotas = async (): Promise<unknown> => (await store.byId(made.key.id))?.quotas
      assert.deepEqual(await quotas(), [filling])
      await spend(120, 2)
      // More or less of it is so in every period, and never less than nothing.
      for (const [more, one, other] of [
        [2, 7, 5],
        [-6, 1, 0],
      ] as const) {
        const kept = await store.byId(made.key.id)
        assert.ok(kept)
        await store.commit(
          [{ kind: 'update', key: kept.key, quota: { more }, draft: draft(made.key.id, 'change') }],
          chain,
        )
        assert.deepEqual(await quotas(), [
          { remaining: one, period: 119 },
          { remaining: other, period: 120 },
        ])
      }
    })

    test('an amount is added to one period and no other, from what is there or from all of it, and never to less than nothing', async () => {
      const store = await fresh().open()
      const quota = { amount: 5, refill: 'day' as const }
      const made = newKey({ quota })
      await store.commit([{ kind: 'insert', ...made, quota: null, draft: draft(made.key.id) }], chain)
      const step = async (added: number, period: number): Promise<unknown> => {
        const kept = await store.byId(made.key.id)
        assert.ok(kept)
        const change = { kind: 'update', key: kept.key, quota: { added, period, amount: 5 } } as const
        await store.commit([{ ...change, draft: draft(made.key.id, 'change') }], chain)
        return (await store.byId(made.key.id))?.quotas.map(({ remaining, period: of }) => [of, remaining])
      }
      assert.deepEqual(await step(3, 100), [[100, 8]])
      assert.equal(await store.spend(made.key.id, { cost: 6, quota, period: 100 }), 2)
      assert.deepEqual(await step(-7, 101), [
        [100, 2],
        [101, 0],
      ])
      assert.deepEqual(await step(-1, 100), [
        [100, 1],
        [101, 0],
      ])
      for (let period = 102; period < 120; period++) await step(1, period)
      assert.deepEqual(((await step(1, 119)) as readonly unknown[]).length, 4, 'the store remembers no end of them')
    })

    test('rows are read with the last entry on each, and what is gone is told', async () => {
      const store = await fresh().open()
      const made = [newKey(), newKey(), newKey()]
      for (const one of made) await store.commit([inserting(one)], chain)
      const owner = { owner: 'acme', disabledAt: 5, limits: [], revision: 0 }
      await store.commit([{ kind: 'owner', owner, draft: draft('owner:acme', 'disable') }], chain)
      const seen = await store.byId(made[0]?.key.id ?? '')
      assert.ok(seen)
      const further = newSecret()
      await store.commit(
        [{ kind: 'update', key: seen.key, secrets: [further], draft: draft(seen.key.id, 'rotate') }],
        chain,
      )
      const first = await store.auditKeys(undefined, 2)
      assert.deepEqual(
        first.map(({ id, secrets, last }) => [id, secrets.map(({ hash }) => hash), last]),
        [
          [
            seen.key.id,
            [made[0]?.secret.hash ?? '', further.hash].toSorted((one, other) => (one < other ? -1 : 1)),
            { seq: 5, action: 'rotate', change: '{}' },
          ],
          [made[1]?.key.id, [made[1]?.secret.hash], { seq: 2, action: 'issue', change: '{}' }],
        ],
      )
      const rest = await store.auditKeys(first.at(-1)?.place ?? 0, 2)
      assert.deepEqual(
        rest.map(({ key }) => key),
        [{ ...made[2]?.key, revision: 3 }],
      )
      assert.deepEqual(await store.auditOwners(undefined, 10), [
        { name: 'acme', owner: { ...owner, revision: 4 }, last: { seq: 4, action: 'disable', change: '{}' } },
      ])
      assert.deepEqual(await store.auditOwners('acme', 10), [])
      assert.deepEqual(await store.auditMissing(0, 10), [])
      // An entry on what is not there: the rows of it were deleted.
      const renamed = { ...newKey(), draft: draft('key_gone') }
      await store.commit([{ kind: 'insert', ...renamed, quota: null }], chain)
      assert.deepEqual(await store.auditMissing(0, 10), [{ seq: 6, subject: 'key_gone' }])
      assert.deepEqual(await store.auditMissing(6, 10), [])
      assert.deepEqual(await store.withoutSnapshot(10), [], 'what was written by this version was told')
      const snapshot = { kind: 'snapshot', rows: [{ subject: seen.key.id, revision: 5 }] } as const
      const telling = await store.commit([{ ...snapshot, draft: draft('snapshot', 'snapshot') }], chain)
      assert.equal(telling, undefined, 'and is not told twice')
    })

    test('an erased key is gone with all that is about it, and the entries on it are empty', async () => {
      const store = await fresh().open()
      const [made, other] = [newKey({ quota: { amount: 5, refill: null } }), newKey()]
      const call = { actor: 'alice', idempotencyKey: 'k', fingerprint: 'f', at: 1000 }
      const quota = { remaining: 5, period: 0 }
      await store.commit([{ ...inserting(made), quota } as Change], chain, { idempotent: call })
      await store.commit([inserting(other)], chain)
      const seen = await store.byId(made.key.id)
      assert.ok(seen)
      const counts = ['accepted', 'expired'].map((outcome) => ({
        hour: 0,
        key: made.key.id,
        owner: 'acme',
        environment: 'live',
        outcome,
        limitName: '',
        count: 1,
        cost: 0,
      }))
      await recordUsage(store, { counts, lastUsed: new Map() })
      assert.equal(await store.forgetUse({ key: made.key.id }, 1), 1)
      assert.equal(await store.isErased(made.secret.hash), false)
      const use = { key: made.key.id, owner: 'acme' }
      assert.equal(await store.isErasedUse(use), false)
      const [issue] = await store.journal({ after: 0, limit: 1 })
      assert.ok(issue)
      const rest = { actor: issue.actor, subject: issue.subject, change: '{}' }
      const key = { id: made.key.id, revision: 1 }
      const erasing = (changes: Partial<Extract<Change, { kind: 'erase' }>>): Change => {
        return {
          kind: 'erase',
          emptied: [{ before: issue, after: rest }],
          key,
          draft: draft(key.id, 'erase'),
          ...changes,
        }
      }
      const stale = { ...issue, change: 'another' }
      assert.equal(await store.commit([erasing({ emptied: [{ before: stale, after: rest }] })], chain), undefined)
      assert.equal(await store.commit([erasing({ key: { ...key, revision: 7 } })], chain), undefined)
      assert.ok(await store.byId(key.id), 'nothing was done')
      assert.ok(await store.commit([erasing({})], chain))
      assert.equal(await store.byId(key.id), undefined)
      assert.equal(await store.bySecret(made.secret.hash), undefined)
      assert.equal(await store.isErased(made.secret.hash), true)
      assert.equal(await store.isErasedUse(use), true)
      assert.equal(await store.isErasedUse({ ...use, key: 'key of the settings' }), false)
      assert.equal(await store.idempotentResult(call), undefined)
      await recordUsage(store, { counts, lastUsed: new Map() })
      assert.deepEqual(await store.usage(everyUse), [], 'what was counted before is not kept')
      const [emptied, , erase] = await store.journal({ after: 0, limit: 10 })
      assert.deepEqual(emptied, { ...issue, ...rest, emptiedBy: erase?.seq })
      assert.deepEqual(await store.auditMissing(0, 10), [], 'it is said where it is')
      const again = newKey()
      const imported = { ...inserting(again), secret: { ...again.secret, hash: made.secret.hash } } as Change
      assert.equal(await store.commit([imported], chain), undefined, 'its secret stays away')
      assert.ok(await store.byId(other.key.id))
      assert.equal(await store.scrub(), overwrites)
    })

    test('what is old is deleted a piece at a time by one of many, and what is young stays', async () => {
      const store = await fresh().open()
      const place = { key: 'key_1', owner: 'acme', environment: 'live', outcome: 'accepted', limitName: '' }
      const hours = Array.from({ length: 60 }, (_, count) => count * 3_600_000)
      const counts = hours.map((hour) => ({ ...place, hour, count: 1, cost: 1 }))
      await recordUsage(store, { counts, lastUsed: new Map() })
      const claim = { now: 1000, until: 61_000 }
      assert.equal(await store.claimPurge({ ...claim, holder: 'one' }), true)
      assert.equal(await store.claimPurge({ ...claim, holder: 'two' }), false)
      assert.equal(await store.claimPurge({ now: 2000, until: 2000, holder: 'one' }), true, 'it goes on, or ends')
      assert.equal(await store.claimPurge({ now: 2000, until: 62_000, holder: 'two' }), true)
      const before = { usage: 50 * 3_600_000 }
      const entry = (rows: typeof before): Change => {
        return { kind: 'purge rows', before: rows, draft: draft('retention', 'purge') }
      }
      assert.equal(await store.commit([entry({ usage: 0 })], chain), undefined, 'nothing is so old')
      assert.ok(await store.commit([entry(before)], chain))
      let usage = 0
      for (let left = true; left;) {
        const purged = await store.purgeRows(before)
        assert.deepEqual([purged.usageSums, purged.refusals], [0, 0])
        usage += purged.usage
        left = purged.usage > 0
      }
      assert.equal(usage, 100, 'the rows, and their sums by owner and hour')
      assert.deepEqual(
        (await store.usage(everyUse)).map(({ hour }) => hour),
        hours.slice(50),
      )
    })

    test('a last use never goes back', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], chain)
      for (const at of [5000, 4000]) {
        await recordUsage(store, { counts: [], lastUsed: new Map([[made.secret.hash, at]]) })
      }
      assert.equal((await store.byId(made.key.id))?.secrets[0]?.lastUsedAt, 5000)
      assert.equal((await store.list(everything)).items[0]?.lastUsedAt, 5000)
    })

    test('a refusal is read as it was kept, by each id of its requests', async () => {
      const store = await fresh().open()
      const full = refusalOf({ requestIds: ['a', 'b'], count: 3 })
      const bare = {
        ...refusalOf({ requestIds: ['c'], at: 2000, key: '', owner: '', environment: '' }),
        address: null,
        route: null,
        requirement: null,
        missing: null,
        limit: null,
      }
      await recordRefusals(store, [full, bare], manyRefusals)
      const [newer, older] = await store.refusals({ order: 'newest', limit: 10 })
      assert.ok(newer !== undefined && older !== undefined)
      const { requestIds: ofOlder, ...sameOfOlder } = full
      assert.deepEqual(older, { ...sameOfOlder, requestId: ofOlder[0], place: older.place })
      const { requestIds: ofNewer, ...sameOfNewer } = bare
      assert.deepEqual(newer, { ...sameOfNewer, requestId: ofNewer[0], place: newer.place })
      for (const requestId of ['a', 'b']) {
        assert.deepEqual(await store.refusals({ requestId, order: 'oldest', limit: 1 }), [older])
      }
      assert.deepEqual(await store.refusals({ requestId: 'd', order: 'oldest', limit: 1 }), [])
    })

    test('of two refusals with the same id of a request, each is found', async () => {
      const store = await fresh().open()
      await recordRefusals(store, [refusalOf({ requestIds: ['a', 'a'] })], manyRefusals)
      await recordRefusals(store, [refusalOf({ requestIds: ['a'], owner: 'globex', at: 2000 })], manyRefusals)
      const byId = { requestId: 'a', order: 'oldest', limit: 10 } as const
      const owners = (await store.refusals(byId)).map(({ owner }) => owner)
      assert.deepEqual(owners, ['acme', 'globex'])
      assert.equal((await store.refusals({ ...byId, owner: 'globex' })).length, 1)
    })

    test('refusals are read by every filter, in both orders, page by page', async () => {
      const store = await fresh().open()
      const kept = [
        refusalOf({ requestIds: ['0'], at: 1000 }),
        refusalOf({ requestIds: ['1'], at: 3000, code: 'expired', route: 'POST /orders' }),
        refusalOf({ requestIds: ['2'], at: 2000, key: 'key_b', owner: 'globex', environment: 'test' }),
        refusalOf({ requestIds: ['3'], at: 2000, key: '', owner: '', environment: '', code: 'unknown' }),
      ]
      await recordRefusals(store, kept, manyRefusals)
      const asked = [
        [{}, ['1', '3', '2', '0']],
        [{ order: 'oldest' }, ['0', '2', '3', '1']],
        [{ key: 'key_a' }, ['1', '0']],
        [{ owner: 'globex' }, ['2']],
        [{ environments: ['live', 'test'] }, ['1', '2', '0']],
        [{ environments: ['test'], owner: 'acme' }, []],
        [{ code: 'expired' }, ['1']],
        [{ route: 'GET /orders' }, ['3', '2', '0']],
        [{ from: 2000, to: 3000 }, ['3', '2']],
        [{ key: 'key_a', limit: 1 }, ['1']],
      ] as const
      for (const [filter, expected] of asked) {
        const found = await store.refusals({ order: 'newest', limit: 10, ...filter })
        const ids = found.map(({ requestId }) => requestId)
        assert.deepEqual(ids, expected, JSON.stringify(filter))
      }
      for (const order of ['newest', 'oldest'] as const) {
        const walked: string[] = []
        let last: StoredRefusal | undefined
        do {
          const [next] = await store.refusals({ order, after: last, limit: 1 })
          last = next
          if (next !== undefined) walked.push(next.requestId)
        } while (last !== undefined)
        assert.deepEqual(walked, order === 'newest' ? ['1', '3', '2', '0'] : ['0', '2', '3', '1'])
      }
    })

    test('neither strangers nor one key push out the refusals of another key', async () => {
      const store = await fresh().open()
      const bounds = { known: 50, perKey: 4, strangers: 3 }
      const noted = (key: string, at: number): RefusalDraft =>
        refusalOf({ key, at, owner: key === '' ? '' : 'acme', requestIds: [`${key} ${at}`] })
      await recordRefusals(store, [noted('quiet', 0)], bounds)
      for (let at = 1; at <= 60; at++) await recordRefusals(store, [noted('noisy', at), noted('', at)], bounds)
      const of = async (key: string): Promise<readonly number[]> =>
        (await store.refusals({ key, order: 'newest', limit: 100 })).map(({ at }) => at)
      assert.deepEqual(await of('quiet'), [0])
      assert.deepEqual(await of('noisy'), [60, 59, 58, 57])
      assert.deepEqual(await of(''), [60, 59, 58])
      const gone = { requestId: 'noisy 1', order: 'oldest', limit: 1 } as const
      assert.deepEqual(await store.refusals(gone), [], 'nor is one found by its id that is no longer kept')
    })

    test('refusals of a clock that was ahead do not keep out those that come after', async () => {
      const store = await fresh().open()
      const bounds = { known: 3, perKey: 2, strangers: 2 }
      const ahead = 1_000_000
      for (const at of [ahead, ahead + 1, 1, 2]) {
        for (const key of ['key_a', '']) await recordRefusals(store, [refusalOf({ key, at })], bounds)
      }
      await recordRefusals(store, [refusalOf({ key: 'key_b', at: ahead })], bounds)
      for (const [at, key] of ['key_c', 'key_d', 'key_e'].entries()) {
        await recordRefusals(store, [refusalOf({ key, at: at + 3 })], bounds)
      }
      const kept = (await store.refusals({ order: 'oldest', limit: 100 })).map(({ at }) => at)
      assert.deepEqual(kept, [1, 2, 3, 4, 5], 'two of strangers, and the last three of keys')
    })

    test('of known keys together, the newest refusals stay', async () => {
      const store = await fresh().open()
      const bounds = { known: 5, perKey: 4, strangers: 100 }
      for (let at = 1; at <= 20; at++) {
        const ofKey = refusalOf({ key: `key_${at}`, at, requestIds: [`known ${at}`] })
        const stranger = refusalOf({ key: '', at, requestIds: [`stranger ${at}`] })
        await recordRefusals(store, [ofKey, stranger], bounds)
      }
      const all = await store.refusals({ order: 'newest', limit: 100 })
      const known = all.filter(({ key }) => key !== '').map(({ at }) => at)
      assert.deepEqual(known, [20, 19, 18, 17, 16])
      assert.equal(all.length, 25, 'and all of strangers stay')
    })

    test('what was declared last is known to whoever opens the store', async () => {
      const { open } = fresh()
      const [ours, theirs] = [await open(), await open()]
      assert.equal(await ours.declared(), undefined)
      const first = { scopes: { 'orders:read': 'Read “orders”' }, prefix: 'lk', environments: ['live', 'test'] }
      await ours.declare(first)
      assert.deepEqual(await theirs.declared(), first)
      const second = { scopes: {}, prefix: 'acme', environments: ['prod'] }
      await theirs.declare(second)
      assert.deepEqual(await ours.declared(), second)
      assert.deepEqual((await changesSince(ours, undefined)).changed, [], 'no key has changed')
    })

    test('all that keys hold is told once, of those that are not revoked and of these environments', async () => {
      const store = await fresh().open()
      const made = [
        newKey({ scopes: ['orders:read', 'orders:*'] }),
        newKey({ scopes: ['orders:read'], disabledAt: 1 }),
        newKey({ scopes: ['reports:read'], environment: 'test' }),
        newKey({ scopes: ['keys:read'], environment: 'admin' }),
        newKey({ scopes: ['orders:write'], revokedAt: 1, revokedReason: 'unused' }),
      ]
      await store.commit(made.map(inserting), chain)
      assert.deepEqual((await store.grants(['live', 'test'])).toSorted(), ['orders:*', 'orders:read', 'reports:read'])
      assert.deepEqual(await store.grants(['admin']), ['keys:read'])
    })

    test('the journal is read by subject, actor and time, page by page', async () => {
      const store = await fresh().open()
      const entry = (subject: string, actor: string, at: number): Change => {
        const made = newKey()
        return { kind: 'insert', ...made, quota: null, draft: { ...draft(subject), actor, at } }
      }
      await store.commit([entry('a', 'me', 1), entry('b', 'you', 2), entry('a', 'you', 3), entry('a', 'me', 4)], chain)
      const asked = [
        [{}, [1, 2, 3, 4]],
        [{ subject: 'a' }, [1, 3, 4]],
        [{ subject: 'a', after: 1, limit: 1 }, [3]],
        [{ actor: 'you' }, [2, 3]],
        [{ from: 2, to: 4 }, [2, 3]],
        [{ subject: 'b', actor: 'me' }, []],
      ] as const
      for (const [filter, expected] of asked) {
        const entries = await store.journal({ after: 0, limit: 10, ...filter })
        assert.deepEqual(
          entries.map(({ seq }) => seq),
          expected,
          JSON.stringify(filter),
        )
      }
    })

    test('a page of the journal has what the filter asks for, from the position on, in either order', async () => {
      const store = await fresh().open()
      const entry = (actor: string, at: number, overrides: Partial<StoredKey> = {}): Change => {
        const made = newKey(overrides)
        const { id } = made.key
        return { kind: 'insert', ...made, quota: null, draft: { ...draft(id), actor, at } }
      }
      const ops = newKey({ name: 'Ops', owner: 'ops', environment: 'admin' })
      const moving = newKey({ name: 'Moving', environment: 'test' })
      await store.commit([inserting(ops), inserting(moving)], chain)
      // The clock goes back once.
      await store.commit([entry('me', 3000), entry(ops.key.id, 2000), entry('me', 4000, { owner: 'globex' })], chain)
      const owner = { owner: 'acme', disabledAt: 5, limits: [], revision: 0 }
      await store.commit([{ kind: 'owner', owner, draft: { ...draft('owner:acme', 'disable'), at: 5000 } }], chain)
      const moved = { ...moving.key, owner: 'globex', revision: 2 }
      await store.commit(
        [
          { kind: 'update', key: moved, draft: { ...draft(moving.key.id, 'change'), at: 6000 } },
          { kind: 'update', key: { ...moved, name: 'Gone', revision: 7 }, draft: draft(moving.key.id, 'change') },
        ],
        chain,
      )
      const asked: readonly (readonly [Partial<EntryFilter>, readonly number[]])[] = [
        [{}, [8, 7, 6, 5, 4, 3, 2, 1]],
        [{ order: 'oldest', limit: 2 }, [1, 2]],
        [{ limit: 2, position: { at: 9, seq: 6 } }, [5, 4]],
        [{ order: 'oldest', limit: 2, position: { at: 9, seq: 6 } }, [7, 8]],
        [{ after: 6 }, [8, 7]],
        [{ owner: 'acme' }, [7, 6, 4, 3, 2]],
        [{ owner: 'globex' }, [8, 7, 5]],
        [{ owner: 'globex', order: 'oldest', position: { at: 0, seq: 5 } }, [7, 8]],
        [{ owner: 'acme', held: ['live'] }, [6, 4, 3]],
        [{ owner: 'acme', held: ['test'] }, [6, 2]],
        [{ owner: 'globex', held: ['test'] }, [8]],
        [{ owner: 'acme', subject: moving.key.id }, [7, 2]],
        [{ owner: 'nobody' }, []],
        [{ subject: moving.key.id }, [8, 7, 2]],
        [{ actor: 'me' }, [5, 3]],
        [{ action: 'change' }, [8, 7]],
        [{ action: 'issue', actor: 'me', owner: 'globex' }, [5]],
        [{ from: 2000, to: 4000 }, [3, 4]],
        [{ from: 2000, to: 4001, order: 'oldest' }, [4, 3, 5]],
        [{ from: 2000, to: 4001, order: 'oldest', position: { at: 2000, seq: 4 } }, [3, 5]],
        [{ from: 2000, owner: 'acme' }, [7, 6, 3, 4]],
        [{ to: 3000, actor: ops.key.id }, [4]],
      ]
      for (const [filter, expected] of asked) {
        const found = await store.entries({ order: 'newest', position: undefined, limit: 10, ...filter })
        assert.deepEqual(
          found.map(({ entry: { seq } }) => seq),
          expected,
          JSON.stringify(filter),
        )
      }
      const [named] = await store.entries({ order: 'newest', position: undefined, limit: 1, actor: ops.key.id })
      const names = { name: 'Ops', owner: 'ops', environment: 'admin' }
      assert.deepEqual([named?.entry.seq, named?.actorKey, named?.subjectKey?.owner], [4, names, 'acme'])
      const [ofOwner] = await store.entries({ order: 'newest', position: undefined, limit: 1, subject: 'owner:acme' })
      assert.deepEqual([ofOwner?.actorKey, ofOwner?.subjectKey], [undefined, undefined])
      assert.deepEqual(
        (await store.auditFiling(6, 10)).map(({ seq, sound }) => [seq, sound]),
        [
          [7, true],
          [8, true],
        ],
      )
    })

    test('a look tells by which hashes secrets were imported, whoever imported them', async () => {
      const { open } = fresh()
      const [ours, theirs] = [await open(), await open()]
      await changesSince(ours, undefined)
      const made = { ...newKey(), secret: newSecret({ kind: 'sha512', hash: 'a'.repeat(128) }) }
      const importing = { kind: 'insert', ...made, quota: null, draft: draft(made.key.id, 'import') } as const
      await theirs.commit([importing], chain)
      assert.deepEqual((await changesSince(ours, undefined)).imported, ['sha512'])
      assert.deepEqual((await changesSince(theirs, undefined)).imported, ['sha512'])
    })

    test('a store that is closed fails; it does not answer that there is no such key', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], chain)
      await store.close()
      await assert.rejects(async () => store.bySecret(made.secret.hash))
      await assert.rejects(async () => changesSince(store, undefined))
      await assert.rejects(async () => store.commit([inserting(newKey())], chain))
    })

    test('what was committed is there when the data is opened again', async () => {
      const { open } = fresh()
      const made = newKey()
      const before = await open()
      const issued = touchedBy(await before.commit([inserting(made)], chain))
      await before.close()
      const again = await open()
      assert.equal((await again.bySecret(made.secret.hash))?.key.id, made.key.id)
      assert.deepEqual((await changesSince(again, undefined)).changed, issued)
    })
  })
}
