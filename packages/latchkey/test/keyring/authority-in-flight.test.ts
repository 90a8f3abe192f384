// What an admin key asks for is done while the right for it is there: the right is looked at where the change is made.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { hashSecret } from '../../src/secret/hash.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Store } from '../../src/ports.ts'
import type { Scope } from './workbench.ts'
import { newFile, openOn, scopes, shop, stillClock, storeIn } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const delegation = { owner: null, environments: ['live', 'admin'], scopes: ['*'] } as const
const admin = {
  name: 'Admin',
  owner: 'ops',
  environment: 'admin',
  scopes: ['keys:write', 'owners:write'],
  delegation: { ...delegation, environments: ['live', 'test', 'admin'] },
} as const

/** Everything that an admin key can have changed, with one key that it sees; one that ends issues none that does not. */
function changes(
  view: Keyring<Scope>,
  id: string,
  expiresAt: number | null = null,
): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    issue: () => view.issue({ ...shop, expiresAt }),
    issueMany: () => view.issueMany([shop, shop]),
    'issue an admin key': () => view.issue({ ...admin, delegation: { ...delegation } }),
    import: () =>
      view.importMany([
        { ...shop, hash: hashSecret(`made elsewhere ${Math.random()}`), algorithm: 'sha256', bits: 128 },
      ]),
    change: () => view.change(id, { name: Math.random().toString() }),
    rotate: () => view.rotate(id),
    disable: () => view.disable(id),
    revoke: () => view.revoke(id, { reason: 'other' }),
    'change an owner': () => view.changeOwner('acme', { limits: [{ name: 'all', limit: 5, window: 60 }] }),
  }
}

/** A keyring whose next change can be made to wait, just before it is committed, until another one is done. */
async function openInterrupted(): Promise<
  Awaited<ReturnType<typeof openOn>> & { readonly beforeNextCommit: (act: () => Promise<unknown>) => void }
> {
  let meanwhile: (() => Promise<unknown>) | undefined
  const opened = await openOn((store): Store => {
    return {
      ...store,
      async commit(...values) {
        const first = meanwhile
        meanwhile = undefined
        await first?.()
        return store.commit(...values)
      },
    }
  })
  return { ...opened, beforeNextCommit: (act) => (meanwhile = act) }
}

const ends: Readonly<Record<string, (keyring: Keyring<Scope>, id: string) => Promise<unknown>>> = {
  revoked: async (keyring, id) => keyring.revoke(id, { reason: 'compromised' }),
  disabled: async (keyring, id) => keyring.disable(id),
  'disabled with its owner': async (keyring) => keyring.changeOwner('ops', { disabled: true }),
  narrowed: async (keyring, id) =>
    keyring.change(id, { scopes: [], delegation: { owner: 'nobody', environments: ['live'], scopes: [] } }),
}

for (const [end, act] of Object.entries(ends)) {
  test(`nothing is changed by an admin key that was ${end} between its being read and the change`, async () => {
    const { keyring, beforeNextCommit } = await openInterrupted()
    for (const name of Object.keys(changes(keyring, ''))) {
      const { key } = await keyring.issue(shop)
      const { key: asking } = await keyring.issue(admin)
      const before = (await entriesOf(keyring)).length
      beforeNextCommit(async () => act(keyring, asking.id))
      const verb = changes(keyring.as(asking.id), key.id)[name] ?? assert.fail()
      await assert.rejects(verb, { code: end === 'narrowed' && name !== '' ? /./ : 'beyond_delegation' } as never, name)
      const after = await entriesOf(keyring)
      assert.deepEqual(
        after.slice(before).filter(({ actor }) => actor === asking.id),
        [],
        name,
      )
      await keyring.changeOwner('ops', { disabled: false })
    }
    await keyring.close()
  })
}

test('nothing is changed with an admin secret that was ended between its being verified and the change', async () => {
  const { keyring, beforeNextCommit } = await openInterrupted()
  for (const name of Object.keys(changes(keyring, ''))) {
    const { key } = await keyring.issue(shop)
    const { key: asking, secret } = await keyring.issue(admin)
    const leaked = await keyring.admin.verify(secret)
    assert.ok(leaked.ok)
    const before = (await entriesOf(keyring)).length
    beforeNextCommit(async () => keyring.rotate(asking.id, { grace: 0 }))
    const verb = changes(keyring.as(leaked.key), key.id)[name] ?? assert.fail()
    await assert.rejects(verb, { code: 'beyond_delegation', message: /secret .* has ended/ }, name)
    const after = (await entriesOf(keyring)).slice(before)
    assert.deepEqual(
      after.map(({ action, actor }) => [action, actor]),
      [['rotate', 'application']],
      name,
    )
    await assert.rejects(verb, { code: 'beyond_delegation' }, 'nor later')
  }
})

test('of the last two admin keys that end themselves at once, one is left', async () => {
  const endings: Readonly<Record<string, (view: Keyring<Scope>, id: string) => Promise<unknown>>> = {
    revoke: async (view, id) => view.revoke(id, { reason: 'unused' }),
    disable: async (view, id) => view.disable(id),
    narrow: async (view, id) => view.change(id, { scopes: [] }),
  }
  for (const [name, end] of Object.entries(endings)) {
    const file = newFile()
    const one = await openKeyring({ store: storeIn(file), scopes })
    const other = await openKeyring({ store: storeIn(file), scopes })
    const keys = await Promise.all([one.issue(admin), one.issue({ ...admin, owner: 'others' })])
    const [first, second] = keys.map(({ key }) => key.id)
    assert.ok(first !== undefined && second !== undefined)
    const done = await Promise.allSettled([end(one.as(first), first), end(other.as(second), second)])
    const refused = done.filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 1, name)
    await Promise.all([one.close(), other.close()])
  }
})

test('the last admin key does not lock itself out by addresses, limits or a quota', async () => {
  const { keyring } = await openOn((store) => store)
  const { key } = await keyring.issue(admin)
  const view = keyring.as(key.id)
  for (const patch of [
    { addresses: ['203.0.113.1/32'] },
    { limits: [{ name: 'day', limit: 1, window: 86_400 }] },
    { quota: { amount: 0 } },
  ]) {
    await assert.rejects(view.change(key.id, patch), { code: 'conflict' })
  }
  await keyring.issue({ ...admin, owner: 'others' })
  await view.change(key.id, { addresses: ['203.0.113.1/32'] })
  await keyring.close()
})

test('a change that waits for the lock of another process is not made when its admin key was revoked or has expired meanwhile', async () => {
  const file = newFile()
  const clock = { ...stillClock(Date.UTC(2030, 0, 1)), monotonic: () => performance.now() }
  const store = storeIn(file)
  const allWait = Promise.withResolvers<void>()
  let waits = 0
  const keyring = await openKeyring({ store: storeIn(file), scopes, clock })
  const theirs = await openKeyring({
    store: {
      ...store,
      async commit(...values) {
        const committed = store.commit(...values)
        if (++waits === 6) allWait.resolve()
        return committed
      },
    },
    scopes,
    clock,
  })
  const expiresAt = clock.now() + 300
  const { key } = await keyring.issue({ ...shop, expiresAt })
  const { key: asking } = await keyring.issue(admin)
  const { key: expiring } = await keyring.issue({ ...admin, expiresAt })
  const foreign = new DatabaseSync(file, { timeout: 5000 })
  foreign.exec('BEGIN IMMEDIATE')
  // All have read their rights, and wait.
  const waiting = [asking.id, expiring.id].flatMap((id) => {
    const { change, issue, rotate } = changes(theirs.as(id), key.id, expiresAt)
    return [change, issue, rotate].map(async (verb) =>
      verb?.().then(
        () => 'done',
        ({ code }: { code: string }) => code,
      ),
    )
  })
  await allWait.promise
  clock.advance(300)
  // Ahead of all that wait, in the transaction that keeps them waiting.
  foreign
    .prepare('UPDATE latchkey_keys SET revoked_at = 1, revision = revision + 1000 WHERE id = $1')
    .run({ 1: asking.id })
  foreign.exec('COMMIT')
  foreign.close()
  assert.deepEqual(
    await Promise.all(waiting),
    Array.from({ length: 6 }, () => 'beyond_delegation'),
  )
  assert.equal((await entriesOf(keyring)).length, 3)
  await Promise.all([keyring.close(), theirs.close()])
})
