// What an admin key asks for is done while the right for it is there: the right is looked at where the change is made.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { hashSecret } from '../../src/key/hash.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/keyring.ts'
import type { Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Scope } from './workbench.ts'
import { newFile, openOn, scopes, shop } from './workbench.ts'

const delegation = { owner: null, environments: ['live', 'admin'], scopes: ['*'] } as const
const admin = {
  name: 'Admin',
  owner: 'ops',
  environment: 'admin',
  scopes: ['keys:write', 'owners:write'],
  delegation: { ...delegation, environments: ['live', 'test', 'admin'] },
} as const

/** Everything that an admin key can have changed, with one key that it sees. */
function changes(view: Keyring<Scope>, id: string): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    issue: () => view.issue(shop),
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

const ends: Readonly<Record<string, (keyring: Keyring<Scope>, id: string) => Promise<unknown>>> = {
  revoked: async (keyring, id) => keyring.revoke(id, { reason: 'compromised' }),
  disabled: async (keyring, id) => keyring.disable(id),
  'disabled with its owner': async (keyring) => keyring.changeOwner('ops', { disabled: true }),
  narrowed: async (keyring, id) =>
    keyring.change(id, { scopes: [], delegation: { owner: 'nobody', environments: ['live'], scopes: [] } }),
}

for (const [end, act] of Object.entries(ends)) {
  test(`nothing is changed by an admin key that was ${end} between its being read and the change`, async () => {
    let meanwhile: (() => Promise<unknown>) | undefined
    const { keyring } = await openOn((store): Store => {
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
    for (const name of Object.keys(changes(keyring, ''))) {
      const { key } = await keyring.issue(shop)
      const { key: asking } = await keyring.issue(admin)
      const before = (await keyring.journal({ limit: 1000 })).length
      meanwhile = async () => act(keyring, asking.id)
      const verb = changes(keyring.as(asking.id), key.id)[name] ?? assert.fail()
      await assert.rejects(verb, { code: end === 'narrowed' && name !== '' ? /./ : 'beyond_delegation' } as never, name)
      const after = await keyring.journal({ limit: 1000 })
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

test('a change that waits for the lock of another process is not made when its admin key was revoked or has expired meanwhile', async () => {
  const file = newFile()
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const theirs = await openKeyring({ store: sqliteStore({ file }), scopes })
  const { key } = await keyring.issue(shop)
  const { key: asking } = await keyring.issue(admin)
  const { key: expiring } = await keyring.issue({ ...admin, expiresAt: Date.now() + 300 })
  const foreign = new DatabaseSync(file, { timeout: 5000 })
  foreign.exec('BEGIN IMMEDIATE')
  // All have read their rights, and wait.
  const waiting = [asking.id, expiring.id].flatMap((id) => {
    const { change, issue, rotate } = changes(theirs.as(id), key.id)
    return [change, issue, rotate].map(async (verb) =>
      verb?.().then(
        () => 'done',
        ({ code }: { code: string }) => code,
      ),
    )
  })
  await new Promise((resolve) => {
    setTimeout(resolve, 400)
  })
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
  assert.equal((await keyring.journal()).length, 3)
  await Promise.all([keyring.close(), theirs.close()])
})
