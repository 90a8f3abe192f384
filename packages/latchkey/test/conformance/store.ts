import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { seal, verifyJournal } from '../../src/keyring/journal.ts'
import type { Change, JournalDraft, ListFilter, Store, StoredKey } from '../../src/ports.ts'

/** A store under test: opens the same, new and empty, data as often as it is asked. */
export interface StoreUnderTest {
  open(): Store | Promise<Store>
  /** Removes the data; every store is closed by then. */
  remove(): void | Promise<void>
}

let count = 0

/** A key of its own, with the hash of its secret. */
export function newKey(overrides: Partial<StoredKey> = {}): { key: Omit<StoredKey, 'revision'>; secretHash: string } {
  count++
  const key = {
    id: `key_${count}`,
    name: `Key ${count}`,
    owner: 'acme',
    environment: 'live',
    scopes: ['orders:read'],
    metadata: {},
    start: 'lk_live_abcd',
    createdAt: 1000,
    notBefore: null,
    expiresAt: null,
    revokedAt: null,
    revokedReason: null,
    revokedNote: null,
    ...overrides,
  }
  return { key, secretHash: count.toString(16).padStart(64, '0') }
}

function draft(subject: string, action: JournalDraft['action'] = 'issue'): JournalDraft {
  return { at: 1000, actor: 'test', action, subject, change: '{}' }
}

/** The change that inserts a key. */
export function inserting(made: ReturnType<typeof newKey>): Change {
  return { kind: 'insert', ...made, draft: draft(made.key.id) }
}

function revoking(key: StoredKey): Change {
  return { kind: 'update', key: { ...key, revokedAt: 2000, revokedReason: 'unused' }, draft: draft(key.id, 'revoke') }
}

const everything: ListFilter = { owner: undefined, state: undefined, now: 1500, after: 0, limit: 1000 }

/** What every store must keep. Run over each of them. */
export function storeConformance(name: string, make: () => StoreUnderTest): void {
  describe(`store: ${name}`, () => {
    const opened: Store[] = []
    const created: StoreUnderTest[] = []

    function fresh(): { open: () => Promise<Store> } {
      const underTest = make()
      created.push(underTest)
      return {
        async open() {
          const store = await underTest.open()
          opened.push(store)
          return store
        },
      }
    }

    after(async () => {
      for (const store of opened) await store.close()
      for (const underTest of created) await underTest.remove()
    })

    test('a committed key is found by the hash of its secret and by its id', async () => {
      const store = await fresh().open()
      const one = newKey({ name: "Ünïcode “quotes” ' \\ ; --", metadata: { plan: 'pro', __proto__x: '' } })
      const other = newKey({ notBefore: 1, expiresAt: 8.64e15, scopes: [] })
      const entries = await store.commit([inserting(one), inserting(other)], seal)
      assert.deepEqual(
        entries?.map(({ seq }) => seq),
        [1, 2],
      )
      for (const [index, { key, secretHash }] of [one, other].entries()) {
        const expected = { ...key, revision: index + 1 }
        assert.deepEqual(await store.bySecret(secretHash), expected)
        assert.deepEqual(await store.byId(key.id), expected)
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
          await store.commit([inserting(made)], seal)
          const found = await store.bySecret(made.secretHash)
          assert.deepEqual({ ...found, revision: 0 }, { ...made.key, revision: 0 })
        }),
        { numRuns: 50 },
      )
    })

    test('a change and its journal entry are kept together', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], seal)
      const stored = await store.byId(made.key.id)
      assert.ok(stored)
      await store.commit([revoking(stored)], seal)
      const changed = await store.byId(made.key.id)
      assert.equal(changed?.revokedAt, 2000)
      assert.equal(changed?.revision, 2)
      assert.deepEqual(
        (await store.journal(0, 10)).map(({ seq, action, subject }) => [seq, action, subject]),
        [
          [1, 'issue', made.key.id],
          [2, 'revoke', made.key.id],
        ],
      )
      assert.equal(await store.newestRevision(), 2)
    })

    test('no change is made to a key that somebody else has changed since', async () => {
      const store = await fresh().open()
      const [one, other] = [newKey(), newKey()]
      await store.commit([inserting(one)], seal)
      const seen = await store.byId(one.key.id)
      assert.ok(seen)
      await store.commit([revoking(seen)], seal)
      // The insert stands before the conflict: it must not stay either.
      assert.equal(await store.commit([inserting(other), revoking(seen)], seal), undefined)
      assert.equal(await store.byId(other.key.id), undefined)
      assert.equal(await store.bySecret(other.secretHash), undefined)
      assert.equal((await store.journal(0, 10)).length, 2)
    })

    test('a commit that fails in the middle leaves nothing behind, and the next one works', async () => {
      const store = await fresh().open()
      const [one, other] = [newKey(), newKey()]
      await store.commit([inserting(one)], seal)
      const again = inserting({ key: newKey().key, secretHash: one.secretHash })
      await assert.rejects(async () => store.commit([inserting(other), again], seal))
      assert.equal(await store.byId(other.key.id), undefined)
      assert.equal((await store.journal(0, 10)).length, 1)
      const failing = (): never => {
        throw new Error('seal fails')
      }
      await assert.rejects(async () => store.commit([inserting(other)], failing), /seal fails/)
      await store.commit([inserting(other)], seal)
      assert.equal((await verifyJournal(store)).whole, true)
    })

    test('changes made through several handles form one journal without gaps', async () => {
      const { open } = fresh()
      const handles = await Promise.all([open(), open(), open()])
      await Promise.all(
        Array.from({ length: 60 }, async (_, index) => handles[index % 3]?.commit([inserting(newKey())], seal)),
      )
      const [first] = handles
      assert.ok(first)
      assert.deepEqual(await verifyJournal(first), {
        whole: true,
        entries: 60,
        head: (await first.journal(59, 1)).map(({ seq, hash }) => ({ seq, hash }))[0],
      })
    })

    test('a look names what has changed since, whoever changed it', async () => {
      const { open } = fresh()
      const [ours, theirs] = [await open(), await open()]
      const [one, other] = [newKey(), newKey()]
      assert.deepEqual(await ours.look(0), { seq: 0, changed: [] })
      await theirs.commit([inserting(one)], seal)
      assert.deepEqual(await ours.look(0), { seq: 1, changed: [one.key.id] })
      await ours.commit([inserting(other)], seal)
      assert.deepEqual(await ours.look(1), { seq: 2, changed: [other.key.id] })
      assert.deepEqual(await ours.look(2), { seq: 2, changed: [] })
    })

    test('a look does not lose what happened between two looks of different callers', async () => {
      const { open } = fresh()
      const [ours, theirs] = [await open(), await open()]
      const made = newKey()
      await theirs.commit([inserting(made)], seal)
      assert.equal((await ours.look(0)).seq, 1)
      // A second keyring on the same store has seen nothing yet.
      assert.deepEqual(await ours.look(0), { seq: 1, changed: [made.key.id] })
    })

    test('a look that would have to name too many says so', async () => {
      const store = await fresh().open()
      await store.commit(
        Array.from({ length: 1001 }, () => inserting(newKey())),
        seal,
      )
      assert.deepEqual(await store.look(0), { seq: 1001, changed: 'many' })
      assert.equal((await store.look(1)).changed.length, 1000)
    })

    test('settled waits until every lease taken before it has ended', async () => {
      const store = await fresh().open()
      const began = performance.now()
      await store.settled()
      assert.ok(performance.now() - began >= store.lease)
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
      for (const { owner, key, secretHash } of keys)
        await store.commit([inserting({ key: { ...key, owner }, secretHash })], seal)

      for (const owner of [undefined, 'acme', 'umbrella', 'nobody']) {
        for (const state of [undefined, 'active', 'pending', 'expired', 'revoked'] as const) {
          const expected = keys
            .filter(
              (made) => (owner === undefined || made.owner === owner) && (state === undefined || made.state === state),
            )
            .map(({ key }) => key.id)
          const listed: string[] = []
          let last = 0
          for (;;) {
            const page = await store.list({ ...everything, owner, state, after: last, limit: 3 })
            listed.push(...page.map(({ key }) => key.id))
            if (page.length < 3) break
            last = page.at(-1)?.place ?? 0
          }
          assert.deepEqual(listed, expected, `${owner} ${state}`)
        }
      }
    })

    test('a store that is closed fails; it does not answer that there is no such key', async () => {
      const store = await fresh().open()
      const made = newKey()
      await store.commit([inserting(made)], seal)
      await store.close()
      await assert.rejects(async () => store.bySecret(made.secretHash))
      await assert.rejects(async () => store.look(0))
      await assert.rejects(async () => store.commit([inserting(newKey())], seal))
    })

    test('what was committed is there when the data is opened again', async () => {
      const { open } = fresh()
      const made = newKey()
      const before = await open()
      await before.commit([inserting(made)], seal)
      await before.close()
      const again = await open()
      assert.equal((await again.bySecret(made.secretHash))?.id, made.key.id)
      assert.deepEqual(await again.look(0), { seq: 1, changed: [made.key.id] })
    })
  })
}
