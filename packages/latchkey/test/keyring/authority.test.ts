import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LatchkeyError } from '../../src/error.ts'
import type { KeyDetails } from '../../src/keyring/key.ts'
import type { Keyring, OpenKeyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { UsageSeries } from '../../src/keyring/reading/usage-series.ts'
import type { Delegation, Rights } from '../../src/policy/delegation.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { beyond, delegations, rights } from '../policy/rights.ts'
import type { Scope } from './workbench.ts'
import { codeOf, openOn, scopes as declared, shop, speeds } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const everything: Delegation = {
  owner: null,
  environments: ['live', 'test', 'admin'],
  scopes: ['orders:*', 'reports:*'],
}
const admin = {
  name: 'Admin',
  owner: 'ops',
  environment: 'admin',
  scopes: ['keys:*', 'journal:read', 'owners:*', 'usage:read', 'refusals:read'],
} as const

async function adminKey(
  keyring: Keyring<Scope>,
  delegation: Delegation | null,
  overrides: object = {},
): Promise<KeyDetails<Scope>> {
  return (await keyring.issue({ ...admin, delegation, ...overrides })).key
}

/** Everything that can be asked of a keyring about or with one key, and answers that tell nothing of it. */
function verbs(view: Keyring<Scope>, id: string): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    change: () => view.change(id, { name: 'Mine' }),
    narrow: () => view.change(id, { scopes: [] }),
    rotate: () => view.rotate(id),
    retire: () => view.retire(id),
    disable: () => view.disable(id),
    enable: () => view.enable(id),
    revoke: () => view.revoke(id, { reason: 'unused' }),
    journal: () => entriesOf(view, { key: id }),
    usage: () => view.usage({ key: id }),
    usageSeries: () => view.usageSeries({ key: id }),
  }
}

for (const [speed, shape] of speeds) {
  describe(`an admin key on a store that answers ${speed}`, () => {
    test('keys of others look like keys that do not exist, through every verb', async () => {
      const { keyring } = await openOn(shape)
      const { id } = await adminKey(keyring, { owner: 'acme', environments: ['live'], scopes: ['orders:*'] })
      const view = keyring.as(id)
      const mine = await keyring.issue(shop)
      const others = [
        await keyring.issue({ ...shop, owner: 'umbrella' }),
        await keyring.issue({ ...shop, environment: 'test' }),
        await keyring.issue({ ...admin, owner: 'acme', delegation: null }),
      ]
      for (const { secret } of others) await keyring.verify(secret)
      await keyring.flushUsage()
      const before = await entriesOf(keyring)
      for (const { key, secret } of others) {
        for (const [name, verb] of Object.entries(verbs(view, key.id))) {
          await assert.rejects(verb, { code: 'unknown_key' }, name)
        }
        assert.equal(await view.find(key.id), undefined)
        const requirement = { environment: key.environment }
        assert.equal(await codeOf(view.verify(secret, requirement)), 'unknown')
        await keyring.disable(key.id)
        const verdict = await view.verify(secret, requirement)
        assert.deepEqual([await codeOf(verdict), verdict.ok || verdict.keyId], ['unknown', undefined])
        await keyring.enable(key.id)
      }
      for (const name of Object.keys(verbs(view, 'key_nobody'))) {
        await assert.rejects(verbs(view, 'key_nobody')[name] ?? assert.fail(), { code: 'unknown_key' }, name)
      }
      assert.equal((await entriesOf(keyring)).length, before.length + 2 * others.length)
      const listed = async (options: object): Promise<readonly string[]> =>
        (await view.list(options)).keys.map((key) => key.id)
      assert.deepEqual(await listed({}), [mine.key.id])
      for (const options of [
        { owner: 'umbrella' },
        { environment: 'test' },
        { environment: 'admin' },
        { text: 'umbrella' },
      ]) {
        assert.deepEqual(await listed(options), [])
      }
      assert.equal(await view.owner('umbrella'), undefined)
      await assert.rejects(view.changeOwner('umbrella', { disabled: true }), { code: 'unknown_owner' })
      assert.equal(await codeOf(view.verify(mine.secret)), 'accepted')
    })

    test('an admin key that is revoked, disabled, expired, not yet valid or of a disabled owner can do nothing any more', async () => {
      const { keyring, clock } = await openOn(shape)
      const mine = await keyring.issue(shop)
      const soon = clock.now() + 1000
      const ends: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
        revoked: (id) => keyring.revoke(id, { reason: 'unused' }),
        disabled: (id) => keyring.disable(id),
        pending: (id) => keyring.change(id, { notBefore: soon }),
        gone: async () => undefined,
        owner_disabled: () => keyring.changeOwner('ops', { disabled: true }),
        expired: async () => clock.set(soon),
      }
      await keyring.verify(mine.secret)
      await keyring.flushUsage()
      for (const [state, end] of Object.entries(ends)) {
        const { id } = await adminKey(
          keyring,
          everything,
          state === 'expired' ? { owner: 'others', expiresAt: soon } : {},
        )
        const view = keyring.as(state === 'gone' ? 'key_nobody' : id)
        const token = { idempotencyKey: state, actor: 'alice' }
        if (state !== 'gone') {
          assert.equal((await view.find(mine.key.id))?.id, mine.key.id)
          await view.issueMany([state === 'expired' ? { ...shop, expiresAt: soon } : shop], token)
        }
        await end(id)
        const journal = await entriesOf(keyring)
        const all = {
          ...verbs(view, mine.key.id),
          issue: () => view.issue(shop),
          issueMany: () => view.issueMany([shop], token),
          importMany: () => view.importMany([{ ...shop, hash: hashSecret('x'), algorithm: 'sha256', bits: 128 }]),
          owner: () => view.changeOwner('acme', { disabled: true }),
          find: () => view.find(mine.key.id),
          list: () => view.list(),
          findOwner: () => view.owner('acme'),
          allUsage: () => view.usage(),
          refusal: () => view.refusal('request-1'),
          refusals: () => view.refusals(),
          whole: () => entriesOf(view),
          chain: () => view.verifyJournal(),
        }
        for (const [name, verb] of Object.entries(all)) {
          await assert.rejects(verb, { code: 'beyond_delegation' }, `${state}: ${name}`)
        }
        assert.equal(await codeOf(view.verify(mine.secret)), 'unavailable')
        assert.deepEqual(await entriesOf(keyring), journal, state)
      }
    })

    test('nothing is nothing: an admin key without delegation or environments sees nobody’s keys, owners, journal or usage', async () => {
      const { keyring } = await openOn(shape)
      const mine = await keyring.issue(shop)
      await keyring.verify(mine.secret)
      const refused = await keyring.verify('nonsense')
      assert.ok(!refused.ok)
      keyring.noteRefusal?.(refused, { requestId: 'request-1' })
      await keyring.changeOwner('acme', { limits: [{ name: 'burst', limit: 9, window: 60 }] })
      await keyring.flushUsage()
      const nothing = { environments: [], scopes: ['orders:*'] }
      for (const delegation of [null, { owner: null, ...nothing }, { owner: 'acme', ...nothing }]) {
        const view = keyring.as((await adminKey(keyring, delegation)).id)
        assert.deepEqual((await view.list()).keys, [])
        assert.equal(await view.owner('acme'), undefined)
        assert.deepEqual((await view.usage()).usage, [])
        assert.equal(await view.refusal('request-1'), undefined)
        assert.deepEqual(await view.refusals(), { refusals: [], cursor: null })
        assert.equal(await codeOf(view.verify(mine.secret)), 'unknown')
        await assert.rejects(view.changeOwner('acme', { disabled: true }), { code: 'unknown_owner' })
        await assert.rejects(entriesOf(view), { code: 'beyond_delegation' })
        const unknown = delegation?.owner === 'acme' ? 'unknown_owner' : 'beyond_delegation'
        await assert.rejects(entriesOf(view, { owner: 'acme' }), { code: unknown })
        await assert.rejects(view.verifyJournal(), { code: 'beyond_delegation' })
        await assert.rejects(view.issue(shop), { code: 'beyond_delegation' })
        for (const verb of Object.values(verbs(view, mine.key.id))) await assert.rejects(verb, { code: 'unknown_key' })
      }
      const without = { owner: null, environments: ['live'] } as never
      for (const delegation of [without, { ...everything, owner: undefined as never }, {}, { environments: [] }]) {
        await assert.rejects(adminKey(keyring, delegation as never), { code: 'invalid_input' }, 'left out is not all')
      }
    })

    test('an admin key that does not see every environment is told of no key, journal or usage in the others', async () => {
      const { keyring } = await openOn(shape)
      const live = await keyring.issue(shop)
      const tried = await keyring.issue({ ...shop, environment: 'test' })
      await keyring.issue({ ...shop, owner: 'umbrella' })
      for (const { key, secret } of [live, tried]) await keyring.verify(secret, { environment: key.environment })
      await keyring.verify('nonsense')
      await keyring.flushUsage()
      for (const owner of [null, 'acme']) {
        const view = keyring.as((await adminKey(keyring, { owner, environments: ['test'], scopes: ['orders:*'] })).id)
        assert.deepEqual(
          (await view.usage()).usage.map(({ key }) => key),
          [tried.key.id],
        )
        await assert.rejects(entriesOf(view), { code: 'beyond_delegation' })
        await assert.rejects(view.verifyJournal(), { code: 'beyond_delegation' })
        assert.equal((await entriesOf(view, { key: tried.key.id })).length, 1)
        assert.equal((await view.owner('acme'))?.owner, 'acme')
        assert.equal(await view.owner('umbrella'), undefined)
        // What is changed of an owner concerns its live keys too.
        await assert.rejects(view.changeOwner('acme', { disabled: true }), { code: 'beyond_delegation' })
        assert.equal(await codeOf(keyring.verify(live.secret)), 'accepted')
      }
      const whole = keyring.as((await adminKey(keyring, everything)).id)
      assert.equal((await whole.usage()).usage.length, 3, 'with those that belong to no key')
      assert.equal((await whole.verifyJournal()).intact, true)
      await whole.changeOwner('acme', { disabled: true })
      assert.equal(await codeOf(keyring.verify(live.secret)), 'owner_disabled')
    })

    test('no sum of usage tells an admin key anything of calls by keys that it does not see', async () => {
      const { keyring, clock } = await openOn(shape)
      const own = [await keyring.issue(shop), await keyring.issue({ ...shop, environment: 'test' })]
      const moved = await keyring.issue({ ...shop, owner: 'umbrella' })
      const foreign = await keyring.issue({ ...shop, owner: 'umbrella' })
      const call = async (keys: readonly (typeof moved)[]): Promise<void> => {
        for (const { key, secret } of keys) await keyring.verify(secret, { environment: key.environment, cost: 3 })
        await keyring.verify('nonsense')
        await keyring.flushUsage()
      }
      await call([...own, moved, foreign])
      // What the key did with its former owner stays with that one.
      await keyring.change(moved.key.id, { owner: 'acme' })
      await call([...own, moved])

      const from = clock.now() - 3_600_000
      const told = async (view: Keyring): Promise<readonly UsageSeries[]> => {
        const all: UsageSeries[] = []
        for (const by of ['outcome', 'environment', 'owner', 'key'] as const) {
          for (const step of ['hour', 'day'] as const) {
            const top = by === 'key' || by === 'owner' ? { top: 1 } : {}
            for (const more of [{}, { outcome: 'accepted' }, { environment: 'live' }] as const) {
              all.push(await view.usageSeries({ by, step, from, ...top, ...more }))
            }
          }
        }
        return all
      }
      for (const bounds of [
        { owner: 'acme', environments: ['live', 'test', 'admin'] },
        { owner: 'acme', environments: ['test'] },
        { owner: null, environments: ['test'] },
      ]) {
        const view = keyring.as((await adminKey(keyring, { ...bounds, scopes: ['orders:*'] })).id)
        const before = await told(view)
        const [first] = before
        const seen = (await view.usage()).usage
        assert.equal(
          first?.series.reduce((sum, { total }) => sum + total.count, 0),
          seen.reduce((sum, { count }) => sum + count, 0),
        )
        assert.ok(before.every(({ series }) => series.every(({ group }) => group !== 'umbrella' && group !== '')))
        await call([foreign, foreign, ...(bounds.environments.includes('live') ? [] : [moved])])
        assert.deepEqual(await told(view), before)
        await assert.rejects(view.usageSeries({ key: foreign.key.id }), { code: 'unknown_key' })
        assert.deepEqual((await view.usageSeries({ owner: 'umbrella', environment: 'live' })).series, [])
      }
    })

    test('an admin key takes away from any key that it sees, but not from admin keys that are more than it', async () => {
      const { keyring } = await openOn(shape)
      const above = await adminKey(keyring, everything)
      const undelegated = await adminKey(keyring, null)
      const wide = await keyring.issue({ ...shop, scopes: ['orders:*'] })
      const lesser = { owner: null, environments: ['live', 'admin'], scopes: ['orders:read'] }
      const view = keyring.as((await adminKey(keyring, lesser, { scopes: ['keys:read', 'keys:write'] })).id)
      for (const { id } of [above, undelegated]) {
        for (const name of ['change', 'narrow', 'rotate', 'disable', 'revoke']) {
          await assert.rejects(verbs(view, id)[name] ?? assert.fail(), { code: 'beyond_delegation' }, name)
        }
        await assert.rejects(view.change(id, { delegation: null, scopes: [] }), { code: 'beyond_delegation' })
      }
      for (const name of ['change', 'rotate']) {
        await assert.rejects(verbs(view, wide.key.id)[name] ?? assert.fail(), { code: 'beyond_delegation' }, name)
      }
      await view.disable(wide.key.id)
      await assert.rejects(view.enable(wide.key.id), { code: 'beyond_delegation' }, 'to give it back is to give')
      await view.change(wide.key.id, { scopes: ['orders:read'] })
      await view.enable(wide.key.id)
      await view.revoke(wide.key.id, { reason: 'unused' })
    })

    test('a call that is sent again is answered to who sent it first, and only with keys that it still sees', async () => {
      const { keyring } = await openOn(shape)
      const bound = { owner: 'acme', environments: ['live'], scopes: ['orders:*'] }
      const [one, other] = [await adminKey(keyring, bound), await adminKey(keyring, bound)]
      const call = { idempotencyKey: 'one', actor: 'alice' }
      const first = await keyring.as(one.id).issueMany([shop], call)
      assert.ok(!first.repeated)
      assert.equal((await keyring.as(one.id).issueMany([shop], call)).repeated, true)
      assert.equal((await keyring.as(other.id).issueMany([shop], call)).repeated, false, 'whoever they say they are')
      assert.equal((await keyring.as(other.id).issueMany([shop], { ...call, actor: one.id })).repeated, true)
      await keyring.change(first.created[0]?.key.id ?? '', { owner: 'umbrella' })
      // Fewer keys would be taken for others, one by one.
      await assert.rejects(keyring.as(one.id).issueMany([shop], call), { code: 'unknown_key' })
    })

    test('the journal of a key that changed hands begins, for who is bound to its owner, after it did', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue({ ...shop, owner: 'umbrella', metadata: { project: 'hidden' } })
      await keyring.change(key.id, { owner: 'acme' }, { note: 'sold' })
      await keyring.disable(key.id)
      const bound = await adminKey(keyring, { owner: 'acme', environments: ['live'], scopes: ['orders:*'] })
      const told = await entriesOf(keyring.as(bound.id), { key: key.id })
      assert.deepEqual(
        told.map(({ action }) => action),
        ['disable'],
      )
      assert.equal((await entriesOf(keyring, { key: key.id })).length, 3)
    })

    test('an environment that is configured no longer opens nothing', async () => {
      const store = sqliteStore({ file: ':memory:' })
      const before = await openKeyring({ store, scopes: declared, environments: ['live', 'staging'] })
      await before.issue({ name: 'Old', owner: 'acme', scopes: [], environment: 'staging' })
      const bound = await adminKey(before, { owner: null, environments: ['live', 'admin'], scopes: [] })
      const after = await openKeyring({ store, scopes: declared, environments: ['live'] })
      const { keys } = await after.as(bound.id).list()
      assert.deepEqual(
        keys.map(({ id }) => id),
        [bound.id],
      )
    })

    test('the journal names the admin key as the actor, unless another is named', async () => {
      const { keyring } = await openOn(shape)
      const { id } = await adminKey(keyring, everything)
      const { key } = await keyring.as(id).issue(shop)
      await keyring.as(id).disable(key.id)
      await keyring.as(id).enable(key.id, { actor: 'alice' })
      await keyring.as(id).changeOwner('acme', { disabled: true })
      assert.deepEqual(
        (await entriesOf(keyring, { after: 1 })).map(({ actor }) => actor),
        [id, id, 'alice', id],
      )
    })

    test('a view never throws at who asks for a verdict, though the store is gone', async () => {
      let failing = false
      const { keyring } = await openOn((store) => {
        const shaped = shape(store)
        return {
          ...shaped,
          byId(id) {
            if (failing) throw new Error('the disk is gone')
            return shaped.byId(id)
          },
        }
      })
      const { secret } = await keyring.issue(shop)
      const view = keyring.as((await adminKey(keyring, everything)).id)
      failing = true
      const verdict = await view.verify(secret)
      assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
      assert.match(String(verdict.cause), /the disk is gone/)
    })
  })
}

/** One thing that an admin key tries. */
interface Attempt {
  readonly verb: 'issue' | 'import' | 'change' | 'rotate' | 'retire' | 'disable' | 'enable' | 'revoke' | 'root'
  /** Which of the admin keys there are, and which of all keys. */
  readonly actor: number
  readonly target: number
  readonly wanted: Rights
  /** Which members a change names. */
  readonly named: readonly (keyof Rights)[]
}

const later = Date.UTC(2030, 5, 1)
const somebody = rights(fc.constantFrom(later, later + 1))
const attempt: fc.Arbitrary<Attempt> = fc.record({
  verb: fc.constantFrom(
    ...([
      'issue',
      'issue',
      'issue',
      'import',
      'change',
      'change',
      'rotate',
      'retire',
      'disable',
      'enable',
      'revoke',
    ] as const),
  ),
  actor: fc.oneof(fc.constant(0), fc.nat()),
  target: fc.nat(),
  wanted: somebody,
  named: fc.subarray(['owner', 'scopes', 'expiresAt', 'addresses', 'delegation'] as const),
})

async function attempted(
  view: Keyring<Scope>,
  id: string,
  { verb, wanted, named }: Attempt,
  nonce: number,
): Promise<readonly (string | undefined)[]> {
  const key = { name: 'Key', ...wanted } as Parameters<typeof view.issue>[0]
  const idOf = ({ key: { id: made } }: { readonly key: { readonly id: string } }): string => made
  if (verb === 'issue') return [idOf(await view.issue(key))]
  if (verb === 'import') {
    const done = await view.importMany([
      { ...key, hash: hashSecret(`made elsewhere ${nonce}`), algorithm: 'sha256', bits: 128 },
    ])
    return done.repeated ? [] : done.created.map((made) => made.id)
  }
  if (verb === 'change') {
    const patch = Object.fromEntries(named.map((name) => [name, wanted[name]]))
    return [idOf(await view.change(id, patch))]
  }
  if (verb === 'revoke') await view.revoke(id, { reason: 'unused' })
  else if (verb === 'rotate') return [idOf(await view.rotate(id))]
  else if (verb === 'enable') return [idOf(await view.enable(id))]
  else if (verb !== 'root') await view[verb](id)
  return []
}

async function everyKey(keyring: OpenKeyring<Scope>): Promise<readonly KeyDetails<Scope>[]> {
  const { keys } = await keyring.list({ limit: 1000 })
  return Promise.all(keys.map(async ({ id }) => (await keyring.find(id)) ?? assert.fail()))
}

test('no sequence of issuing, importing, changing, rotating and enabling ever gives more than the first admin key could', async () => {
  let done = 0
  await fc.assert(
    fc.asyncProperty(
      somebody,
      fc.constantFrom({}, { expiresAt: null }, { expiresAt: null, addresses: null }),
      delegations.filter(({ environments }) => environments.length > 0),
      fc.array(somebody, { maxLength: 6 }),
      fc.array(attempt, { minLength: 25, maxLength: 40 }),
      async (first, bounds, delegation, present, attempts) => {
        const { keyring } = await openOn((store) => store)
        const scopes = ['keys:*'] as const
        const { key: root } = await keyring.issue({
          ...first,
          name: 'First',
          environment: 'admin',
          scopes,
          delegation,
        })
        for (const members of present) await keyring.issue({ name: 'Present', ...members } as never)
        const untouched = await everyKey(keyring)
        const admins = [root.id]
        for (const [nonce, one] of attempts.entries()) {
          const before = await everyKey(keyring)
          const actor = admins[one.actor % admins.length] ?? root.id
          const target = before[one.target % before.length] ?? root
          let given: readonly (string | undefined)[]
          try {
            given = await attempted(keyring.as(actor), target.id, one, nonce)
          } catch (error) {
            const known = ['beyond_delegation', 'unknown_key', 'conflict', 'invalid_input', 'unknown_scope']
            assert.ok(error instanceof LatchkeyError && known.includes(error.code), String(error))
            assert.deepEqual(await everyKey(keyring), before, 'a refused attempt changes nothing')
            continue
          }
          done++
          for (const id of given) {
            const key = await keyring.find(id ?? '')
            assert.ok(key)
            // Enabling what is enabled gives nothing.
            if (before.some((old) => old.id === id && old.revision === key.revision)) continue
            assert.equal(beyond(root, key), undefined, `${one.verb} by ${actor === root.id ? 'the first' : 'another'}`)
            if (key.delegation !== null && !admins.includes(key.id)) admins.push(key.id)
          }
        }
        for (const key of await everyKey(keyring)) {
          const was = untouched.find(({ id }) => id === key.id)
          if (was === undefined) assert.equal(beyond(root, key), undefined)
          else if (beyond(root, was) !== undefined && beyond(root, key) !== undefined) {
            // What was more than it could give is as it was, or has been taken away.
            const { revision: _, state: _1, disabledAt: _2, disabledBy: _d, revoked: _3, secrets: _4, ...kept } = key
            const { revision: _5, state: _6, disabledAt: _7, disabledBy: _e, revoked: _8, secrets: _9, ...before } = was
            assert.deepEqual(kept, before)
          }
        }
        await keyring.close()
      },
    ),
    { numRuns: 50 },
  )
  assert.ok(done > 100, `${done} attempts were successful`)
})
