import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Keyring } from '../../src/keyring/keyring.ts'
import type { AdminScope } from '../../src/policy/admin.ts'
import { adminScopes } from '../../src/policy/admin.ts'
import type { Delegation } from '../../src/policy/delegation.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import type { ListFilter, Store } from '../../src/ports.ts'
import type { Scope } from './workbench.ts'
import { codeOf, openOn, shop, speeds } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const everything: Delegation = { owner: null, environments: ['live', 'test', 'admin'], scopes: ['*'] }
const ofAcme: Delegation = { owner: 'acme', environments: ['live', 'admin'], scopes: ['*'] }
const admin = { name: 'Admin', owner: 'ops', environment: 'admin' } as const
const all = ['keys:*', 'owners:*', 'journal:*', 'usage:*', 'refusals:*'] as const

/** Every verb, with the scope that it asks of an admin key. */
function verbs(view: Keyring<Scope>, id: string): readonly (readonly [AdminScope, string, () => Promise<unknown>])[] {
  return [
    ['keys:write', 'issue', () => view.issue(shop)],
    ['keys:write', 'issueMany', () => view.issueMany([shop])],
    [
      'keys:write',
      'importMany',
      () => view.importMany([{ ...shop, hash: hashSecret(id), algorithm: 'sha256', bits: 128 }]),
    ],
    ['keys:write', 'change', () => view.change(id, { name: 'Another' })],
    ['keys:write', 'rotate', () => view.rotate(id)],
    ['keys:write', 'retire', () => view.retire(id)],
    ['keys:write', 'disable', () => view.disable(id)],
    ['keys:write', 'enable', () => view.enable(id)],
    ['keys:write', 'revoke', () => view.revoke(id, { reason: 'other' })],
    ['keys:read', 'find', () => view.find(id)],
    ['keys:read', 'list', () => view.list()],
    ['keys:read', 'counts', () => view.counts()],
    ['owners:read', 'owners', () => view.owners()],
    ['owners:read', 'owner', () => view.owner('acme')],
    ['owners:write', 'changeOwner', () => view.changeOwner('acme', { disabled: false })],
    ['journal:read', 'journal', () => entriesOf(view)],
    ['journal:read', 'journalEntry', () => view.journalEntry(1)],
    ['journal:read', 'journalHead', () => view.journalHead()],
    ['journal:read', 'verifyJournal', () => view.verifyJournal()],
    ['usage:read', 'usage', () => view.usage()],
    ['usage:read', 'usageSeries', () => view.usageSeries()],
    ['refusals:read', 'refusal', () => view.refusal('request-1')],
    ['refusals:read', 'refusals', () => view.refusals()],
  ]
}

for (const [speed, shape] of speeds) {
  test(`why needs the three scopes of what it reads, on a store that answers ${speed}`, async () => {
    const { keyring } = await openOn(shape)
    const { key } = await keyring.issue(shop)
    const scopesOfWhy = ['refusals:read', 'journal:read', 'usage:read'] as const
    for (const lacking of [undefined, ...scopesOfWhy]) {
      const scopes = scopesOfWhy.filter((scope) => scope !== lacking)
      const { key: asking } = await keyring.issue({ ...admin, scopes, delegation: everything })
      const told = keyring.as(asking.id).why({ key: key.id })
      if (lacking === undefined) assert.equal((await told)?.entries.length, 1)
      else await assert.rejects(told, { code: 'beyond_delegation', message: new RegExp(lacking) })
    }
  })

  describe(`the rights of an admin key on a store that answers ${speed}`, () => {
    test('a verb needs the scope that the HTTP route of it needs, whoever calls it', async () => {
      const { keyring } = await openOn(shape)
      for (const [index, [scope, name]] of verbs(keyring, '').entries()) {
        const { key } = await keyring.issue(shop)
        const others = (Object.keys(adminScopes) as AdminScope[]).filter((one) => one !== scope)
        const without = await keyring.issue({ ...admin, scopes: others, delegation: everything })
        const having = await keyring.issue({ ...admin, scopes: [scope], delegation: everything })
        const before = await entriesOf(keyring)
        const asked = (id: string): Promise<unknown> => verbs(keyring.as(id), key.id)[index]?.[2]() ?? assert.fail()
        await assert.rejects(asked(without.key.id), { code: 'beyond_delegation', message: new RegExp(scope) }, name)
        assert.deepEqual(await entriesOf(keyring), before, name)
        await asked(having.key.id)
      }
    })

    test('a key of the application with a scope of the same name administers nothing', async () => {
      const { keyring } = await openOn(shape, {
        scopes: { 'keys:write': 'Cut keys', 'keys:read': 'See keys' } as never,
      })
      const { key } = await keyring.issue({ name: 'Locksmith', owner: 'acme', scopes: ['keys:*'] as never })
      await assert.rejects(keyring.as(key.id).list(), { code: 'beyond_delegation' })
    })

    test('verification on behalf of an admin key needs keys:verify', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue(shop)
      for (const [scopes, code] of [
        [['keys:read'], 'unavailable'],
        [['keys:verify'], 'accepted'],
      ] as const) {
        const { key, secret: adminSecret } = await keyring.issue({ ...admin, scopes, delegation: everything })
        assert.equal(await codeOf(keyring.as(key.id).verify(secret)), code)
        const verified = await keyring.admin.verify(adminSecret)
        assert.ok(verified.ok)
        assert.equal(await codeOf(keyring.as(verified.key).verify(secret)), code)
      }
    })

    test('an admin key that is bound to an owner sets no metadata, limits or quota, its own included, unless that is said', async () => {
      const { keyring } = await openOn(shape)
      const limits = [{ name: 'minute', limit: 5, window: 60 }]
      const members = { metadata: { plan: 'pro' }, limits, quota: { amount: 1000 } }
      const { key } = await keyring.issue({ ...shop, ...members })
      const { key: asking } = await keyring.issue({ ...admin, owner: 'acme', scopes: all, delegation: ofAcme, limits })
      const view = keyring.as(asking.id)
      for (const [name, value] of Object.entries(members)) {
        const patches = [{ [name]: value }, { [name]: null }]
        await assert.rejects(view.issue({ ...shop, ...patches[0] }), {
          code: 'beyond_delegation',
          message: new RegExp(name),
        })
        await assert.rejects(
          view.importMany([{ ...shop, ...patches[0], hash: hashSecret(name), algorithm: 'sha256', bits: 128 }]),
          {
            code: 'beyond_delegation',
          },
        )
        await assert.rejects(view.change(key.id, { [name]: null }), { code: 'beyond_delegation' })
      }
      await assert.rejects(view.change(asking.id, { limits: null }), { code: 'beyond_delegation' })
      await view.change(key.id, { name: 'What it may', metadata: members.metadata })
      await view.issue(shop)
      assert.deepEqual((await keyring.find(key.id))?.limits, limits)
      // A quota that stays what it is, and would be filled up again or not be left as it is.
      for (const remaining of [1000, 5]) {
        const quota = { ...members.quota, remaining }
        await assert.rejects(view.change(key.id, { quota }), { code: 'beyond_delegation', message: /quota/ })
      }
      await view.change(key.id, { name: 'What it may as well', quota: members.quota })

      const told = await keyring.issue({
        ...admin,
        scopes: all,
        delegation: { ...ofAcme, members: ['metadata'] },
      })
      await keyring.as(told.key.id).change(key.id, { metadata: { plan: 'free' } })
      await assert.rejects(keyring.as(told.key.id).change(key.id, { quota: null }), { code: 'beyond_delegation' })
      await assert.rejects(
        view.issue({ ...admin, owner: 'acme', scopes: [], delegation: { ...ofAcme, members: ['quota'] } }),
        {
          code: 'beyond_delegation',
        },
      )
      const ofAll = await keyring.issue({ ...admin, scopes: all, delegation: everything })
      await keyring.as(ofAll.key.id).change(key.id, { limits: null, quota: null, metadata: null })
      assert.deepEqual((await keyring.find(key.id))?.limits, [])
    })

    test('an admin key that is bound to an owner issues keys without limits, and the limits of the owner bind them', async () => {
      const { keyring } = await openOn(shape)
      const limits = [{ name: 'all', limit: 2, window: 60 }]
      await keyring.issue({ ...shop, limits: [{ name: 'one', limit: 1, window: 60 }], quota: { amount: 1 } })
      await keyring.changeOwner('acme', { limits })
      const everywhere = { ...ofAcme, environments: ['live', 'test', 'admin'] }
      const { key: asking } = await keyring.issue({ ...admin, scopes: all, delegation: everywhere })
      const view = keyring.as(asking.id)
      const issued = [await view.issue(shop), await view.issue(shop), await view.issue(shop)]
      assert.deepEqual(
        issued.map(({ key }) => [key.limits, key.quota]),
        issued.map(() => [[], null]),
      )
      const codes: string[] = []
      for (const { secret } of issued) codes.push(await codeOf(keyring.verify(secret)))
      assert.deepEqual(codes, ['accepted', 'accepted', 'over_limit'])
      for (const patch of [{ limits: null }, { limits: [] }, { limits: [{ name: 'all', limit: 3, window: 60 }] }]) {
        await assert.rejects(view.changeOwner('acme', patch), { code: 'beyond_delegation', message: /^limits: / })
      }
      // What stays is not set anew.
      assert.equal((await view.changeOwner('acme', { limits, disabled: true })).owner.disabled, true)
      const delegation = { ...everywhere, members: ['limits'] as const }
      const told = await keyring.issue({ ...admin, scopes: all, delegation })
      assert.deepEqual((await keyring.as(told.key.id).changeOwner('acme', { limits: null })).owner.limits, [])
    })

    test('what the operator disabled is not enabled by an admin key of its owner; what it disabled itself is', async () => {
      const { keyring } = await openOn(shape)
      const [one, other, elsewhere] = await Promise.all(
        [ofAcme, ofAcme, everything].map(async (delegation) => keyring.issue({ ...admin, scopes: all, delegation })),
      )
      assert.ok(one && other && elsewhere)
      const { key } = await keyring.issue(shop)
      const [view, views] = [keyring.as(one.key.id), keyring.as(other.key.id)]
      assert.equal((await view.disable(key.id)).key.disabledBy, one.key.id)
      assert.equal((await view.enable(key.id)).key.disabledBy, null)
      await view.disable(key.id)
      assert.equal((await views.enable(key.id)).key.state, 'active', 'what one of its own kind did')
      for (const above of [keyring, keyring.as(elsewhere.key.id)]) {
        await above.disable(key.id)
        // Who disables it once more has not disabled it.
        await view.disable(key.id)
        await assert.rejects(view.enable(key.id), { code: 'beyond_delegation' })
        assert.equal((await above.enable(key.id)).key.state, 'active')
      }
    })

    test('an owner that is disabled is not enabled by an admin key that is bound to it, whoever owns that key', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue(shop)
      const delegation: Delegation = { ...everything, owner: 'acme' }
      const bound = await keyring.issue({ ...admin, owner: 'partner', scopes: all, delegation })
      const free = await keyring.issue({ ...admin, scopes: all, delegation: everything })
      const view = keyring.as(bound.key.id)
      assert.equal((await view.changeOwner('acme', { disabled: false })).owner.disabled, false, 'nothing to be done')
      for (const above of [keyring, view]) {
        await above.changeOwner('acme', { disabled: true })
        await assert.rejects(view.changeOwner('acme', { disabled: false }), { code: 'beyond_delegation' })
        assert.equal(await codeOf(keyring.verify(secret)), 'owner_disabled')
        await keyring.as(free.key.id).changeOwner('acme', { disabled: false })
        assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      }
    })

    test('all that an admin key has brought about ends with it, by issuing, importing and rotating, and by admin keys of its own', async () => {
      const { keyring } = await openOn(shape)
      const stolen = await keyring.issue({ ...admin, scopes: all, delegation: everything })
      const view = keyring.as(stolen.key.id)
      const issued = await view.issueMany(Array.from({ length: 120 }, () => shop))
      const child = await view.issue({ ...admin, scopes: all, delegation: everything })
      const grandchild = await keyring.as(child.key.id).issue(shop)
      const text = 'made-elsewhere-0123456789'
      const imported = await view.importMany([{ ...shop, hash: hashSecret(text), algorithm: 'sha256', bits: 128 }])
      const [mine, rotated] = await Promise.all([keyring.issue(shop), keyring.issue(shop)])
      await view.rotate(rotated.key.id)
      await view.change(mine.key.id, { name: 'Changed' })
      assert.ok(!issued.repeated && !imported.repeated)
      const expected = [
        ...issued.created.map(({ key }) => key.id),
        child.key.id,
        imported.created[0]?.id,
        rotated.key.id,
      ]
      assert.deepEqual(
        (await keyring.list({ issuedBy: stolen.key.id, limit: 1000 })).keys
          .map(({ id }) => id)
          .toSorted((one, other) => (one < other ? -1 : 1)),
        expected.toSorted((one = '', other = '') => (one < other ? -1 : 1)),
      )
      const { alsoRevoked } = await keyring.revoke(stolen.key.id, { reason: 'compromised', withIssued: true })
      assert.equal(alsoRevoked, 120 + 4)
      for (const { id } of (await keyring.list({ limit: 1000 })).keys) {
        const state = (await keyring.find(id))?.state
        assert.equal(state, id === mine.key.id ? 'active' : 'revoked', id)
      }
      assert.equal(await codeOf(keyring.verify(grandchild.secret)), 'revoked')
      assert.equal(await codeOf(keyring.verify(text)), 'revoked')
      assert.equal(await codeOf(keyring.verify(mine.secret)), 'accepted')
      // Asked again, it finishes what may have been interrupted: nothing here.
      assert.equal((await keyring.revoke(stolen.key.id, { reason: 'other', withIssued: true })).alsoRevoked, 0)
    })

    test('a bound admin key that ends another with all that it made reads the keys that it sees, and no others', async () => {
      const read: ListFilter[] = []
      const watched = (store: Store): Store => {
        const shaped = shape(store)
        return { ...shaped, list: (filter) => (read.push(filter), shaped.list(filter)) }
      }
      const { keyring } = await openOn(watched)
      await keyring.issue({ ...admin, scopes: all, delegation: everything })
      const ended = await keyring.issue({ ...admin, owner: 'acme', scopes: all, delegation: everything })
      const view = keyring.as(ended.key.id)
      const [ours, others] = [await view.issue(shop), await view.issue({ ...shop, owner: 'umbrella' })]
      const elsewhere = await view.issue({ ...shop, environment: 'test' })
      const below = await view.issue({ ...admin, owner: 'acme', scopes: all, delegation: ofAcme })
      await keyring.change(ended.key.id, { delegation: ofAcme })
      const asking = await keyring.issue({ ...admin, owner: 'acme', scopes: all, delegation: ofAcme })
      read.length = 0
      const whole = { reason: 'compromised', withIssued: true } as const
      assert.equal((await keyring.as(asking.key.id).revoke(ended.key.id, whole)).alsoRevoked, 2)
      const stateOf = async ({ key }: { key: { id: string } }): Promise<unknown> => (await keyring.find(key.id))?.state
      assert.deepEqual(await Promise.all([ours, below, others, elsewhere].map(stateOf)), [
        'revoked',
        'revoked',
        'active',
        'active',
      ])
      const walks = read.filter(({ issuedBy }) => issuedBy !== undefined)
      assert.ok(walks.length > 0)
      for (const { owner, environments } of walks) {
        assert.equal(owner, 'acme')
        assert.ok(environments?.every((one) => ofAcme.environments.includes(one)))
      }
    })

    test('an admin key that ends itself, or the one that brought it about, with all of theirs, ends last', async () => {
      const { keyring } = await openOn(shape)
      await keyring.issue({ ...admin, scopes: all, delegation: everything })
      for (const asksFor of ['itself', 'its issuer']) {
        const parent = await keyring.issue({ ...admin, scopes: all, delegation: everything })
        const child = await keyring.as(parent.key.id).issue({ ...admin, scopes: all, delegation: everything })
        const ending = asksFor === 'itself' ? child : parent
        const made = await keyring.as(ending.key.id).issueMany([shop, shop])
        const { alsoRevoked } = await keyring
          .as(child.key.id)
          .revoke(ending.key.id, { reason: 'compromised', withIssued: true })
        assert.equal(alsoRevoked, asksFor === 'itself' ? 2 : 3)
        assert.ok(!made.repeated)
        for (const id of [ending.key.id, child.key.id, ...made.created.map(({ key }) => key.id)]) {
          assert.equal((await keyring.find(id))?.state, 'revoked', asksFor)
        }
      }
    })

    test('an admin key that cannot be ended with all that it has brought about ends nothing', async () => {
      const { keyring } = await openOn(shape)
      const parent = await keyring.issue({ ...admin, scopes: all, delegation: everything })
      const made = await keyring.as(parent.key.id).issue(shop)
      const child = await keyring.as(parent.key.id).issue({ ...admin, scopes: all, delegation: everything })
      const grandchild = await keyring.as(child.key.id).issue({ ...admin, scopes: all, delegation: everything })
      const fruit = await keyring.as(grandchild.key.id).issue(shop)
      const whole = { reason: 'compromised', withIssued: true } as const
      const nothingEnds = async (asking: string, id: string, expected: object, options: object = {}): Promise<void> => {
        await assert.rejects(keyring.as(asking).revoke(id, { ...whole, ...options }), expected)
        for (const one of [parent, made, child, grandchild, fruit]) {
          assert.equal((await keyring.find(one.key.id))?.state, 'active')
        }
      }
      const last = { code: 'conflict', message: /^It is the last admin key/ }
      for (const asking of [parent, child, grandchild]) await nothingEnds(asking.key.id, parent.key.id, last)

      const other = await keyring.issue({ ...admin, scopes: all, delegation: everything })
      await nothingEnds(parent.key.id, parent.key.id, { code: 'precondition_failed' }, { ifRevision: 999 })
      await keyring.as(parent.key.id).disable(other.key.id, { idempotencyKey: 'used' })
      await keyring.enable(other.key.id)
      await nothingEnds(parent.key.id, parent.key.id, { code: 'idempotency_key_reused' }, { idempotencyKey: 'used' })

      // What a narrower one asks for meets a key that is more than it, brought about by one that was.
      const narrow = { ...everything, scopes: ['orders:*'] }
      const narrower = await keyring.issue({ ...admin, scopes: all, delegation: narrow })
      await keyring.change(parent.key.id, { delegation: narrow })
      const beyond = {
        code: 'beyond_delegation',
        message: new RegExp(`Nothing was revoked, because of ${child.key.id}`),
      }
      await nothingEnds(narrower.key.id, parent.key.id, beyond)

      const { alsoRevoked } = await keyring.as(other.key.id).revoke(parent.key.id, whole)
      assert.equal(alsoRevoked, 4)
      await assert.rejects(keyring.as(other.key.id).revoke(5 as never, whole), { code: 'invalid_input' })
    })

    test('a delegation of all scopes gives those that are declared later; it is given on by nobody who has less', async () => {
      const { keyring } = await openOn(shape)
      const whole = await keyring.issue({ ...admin, scopes: all, delegation: everything })
      const less = await keyring.issue({
        ...admin,
        scopes: all,
        delegation: { ...everything, scopes: ['orders:*', 'reports:*'] },
      })
      await keyring.as(whole.key.id).issue({ ...shop, scopes: ['orders:*', 'reports:read'] })
      await keyring.as(whole.key.id).issue({ ...admin, scopes: all, delegation: everything })
      await assert.rejects(keyring.as(less.key.id).issue({ ...admin, scopes: all, delegation: everything }), {
        code: 'beyond_delegation',
      })
      await assert.rejects(
        keyring.issue({ ...admin, scopes: all, delegation: { ...everything, scopes: ['*', 'orders:read'] } }),
        {
          code: 'unknown_scope',
        },
      )
      await assert.rejects(keyring.issue({ ...shop, scopes: ['*'] as never }), { code: 'unknown_scope' })
    })
  })
}
