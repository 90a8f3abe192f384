import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, openOn, shop, speeds } from './workbench.ts'

for (const [speed, shape] of speeds) {
  test(`an old secret that was ended stays ended when the clock steps back (store: ${speed})`, async () => {
    const { keyring, clock } = await openOn(shape)
    const [ended, retired] = await Promise.all([keyring.issue(shop), keyring.issue(shop)])
    await keyring.rotate(ended.key.id, { grace: 0 })
    await keyring.rotate(retired.key.id)
    await keyring.retire(retired.key.id)
    clock.set(clock.now() - 10_000)
    for (const { key, secret } of [ended, retired]) {
      assert.equal(await codeOf(keyring.verify(secret)), 'secret_ended')
      assert.equal((await keyring.find(key.id))?.secrets.length, 1, 'nor is it shown as one that works')
    }
    await keyring.close()
  })

  test(`a new secret that is in use is not replaced where the clock stepped back before it was made (store: ${speed})`, async () => {
    const { keyring, clock } = await openOn(shape)
    const { key } = await keyring.issue(shop)
    clock.set(clock.now() - 10_000)
    const { secret } = await keyring.rotate(key.id)
    assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    await assert.rejects(keyring.rotate(key.id, { replace: true }), { code: 'conflict', message: /was used at/ })
    assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    await keyring.close()
  })
}
