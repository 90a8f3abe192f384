import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noPostgres, testSchema } from '../../../../test/postgres.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { ChangesSince, Store } from '../../src/ports.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { postgresStore } from '../../src/store/postgres.ts'
import { codeOf, scopes, shop } from '../keyring/workbench.ts'

test(
  'the first import is answered when every instance takes the secret, also one whose look began before it',
  { skip: noPostgres },
  async (context) => {
    const schema = await testSchema()
    const [inner, theirs] = [await postgresStore({ pool: schema.pool }), await postgresStore({ pool: schema.pool })]
    const [looked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let held = false
    const store: Store = {
      ...inner,
      follow(wake) {
        const follower = inner.follow(wake)
        const changesSince = async (seen: Parameters<typeof follower.changesSince>[0]): Promise<ChangesSince> => {
          const changes = await follower.changesSince(seen)
          if (!held) return changes
          looked.resolve()
          await released.promise
          return changes
        }
        return { ...follower, changesSince }
      },
    }
    const [one, other] = [await openKeyring({ store, scopes }), await openKeyring({ store: theirs, scopes })]
    context.after(async () => {
      await one.close()
      await other.close()
      await schema.remove()
    })
    const text = 'a secret that was made elsewhere'
    assert.equal(await codeOf(one.verify(text)), 'malformed')
    // An entry before it: then a message can be applied, as it continues what was seen.
    await other.issue(shop)
    held = true
    await looked.promise
    const item = { ...shop, hash: hashSecret(text), algorithm: 'sha256', bits: 128 } as const
    const done = await other.importMany([item])
    held = false
    released.resolve()
    assert.equal(await codeOf(one.verify(text)), 'accepted')
    assert.ok(!done.repeated)
    await other.revoke(done.created[0]?.id ?? '', { reason: 'compromised' })
    assert.equal(await codeOf(one.verify(text)), 'revoked')
  },
)
