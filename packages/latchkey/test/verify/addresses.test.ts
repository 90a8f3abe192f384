import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf, openOn, shop, speeds } from '../keyring/workbench.ts'

for (const [speed, shape] of speeds) {
  describe(`addresses on a store that answers ${speed}`, () => {
    test('a key that names addresses is accepted from them, however they are written, and from nowhere else', async () => {
      const { keyring } = await openOn(shape)
      const addresses = ['192.0.2.77/24', '2001:DB8::/32', '198.51.100.1']
      const { key, secret } = await keyring.issue({ ...shop, addresses })
      assert.deepEqual(key.addresses, ['192.0.2.0/24', '2001:db8::/32', '198.51.100.1/32'])
      const verdicts = {
        accepted: ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.1', '2001:db8:ffff::1', '2001:0DB8::1', '198.51.100.1'],
        address_not_allowed: ['192.0.3.0', '198.51.100.2', '2001:db9::1', '::ffff:198.51.100.2', '::1', '', 'nonsense'],
      }
      for (const [code, ips] of Object.entries(verdicts)) {
        for (const ip of ips) assert.equal(await codeOf(keyring.verify(secret, {}, { ip })), code, ip)
      }
    })

    test('a caller whose address is not known is refused by a key that names addresses, and by no other', async () => {
      const { keyring } = await openOn(shape)
      const bound = await keyring.issue({ ...shop, addresses: ['0.0.0.0/0', '::/0'] })
      const free = await keyring.issue(shop)
      for (const call of [undefined, {}, { ip: undefined }]) {
        assert.equal(await codeOf(keyring.verify(bound.secret, {}, call)), 'address_not_allowed')
        assert.equal(await codeOf(keyring.verify(free.secret, {}, call)), 'accepted')
      }
    })

    test('an empty list is no key for everybody: it is refused, as is what is no address', async () => {
      const { keyring } = await openOn(shape)
      for (const addresses of [[], ['x'], ['192.0.2.0/33'], ['192.0.2.0/24', null], 'all', [['192.0.2.1']]]) {
        await assert.rejects(keyring.issue({ ...shop, addresses: addresses as never }), {
          code: 'invalid_input',
          message: /^addresses/,
        })
      }
      const tooMany = Array.from({ length: 101 }, (_, index) => `192.0.2.${index}`)
      await assert.rejects(keyring.issue({ ...shop, addresses: tooMany }), { code: 'invalid_input' })
    })

    test('the address comes after the environment and before the scopes', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue({ ...shop, addresses: ['192.0.2.1'] })
      const requirement = { allOf: ['orders:write'] } as const
      const call = { ip: '192.0.2.2' }
      assert.equal(
        await codeOf(keyring.verify(secret, { ...requirement, environment: 'test' }, call)),
        'wrong_environment',
      )
      assert.equal(await codeOf(keyring.verify(secret, requirement, call)), 'address_not_allowed')
      assert.equal(await codeOf(keyring.verify(secret, requirement, { ip: '192.0.2.1' })), 'insufficient_scope')
    })
  })
}
