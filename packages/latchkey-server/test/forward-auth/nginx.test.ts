import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noNginx } from '../../../../test/machine.ts'
import { nginx } from './nginx.ts'
import { proxyConformance } from './proxy-conformance.ts'
import { sendRaw } from './raw.ts'
import { openStand } from './stand.ts'

proxyConformance('nginx', noNginx(), nginx)

test('nginx passes the longest headers of a caller, and of an answer of Latchkey', { skip: noNginx() }, async () => {
  const { port, issue, keyring } = await openStand(nginx)
  const { secret } = await issue()
  const cookies = [1, 2, 3].map((place) => [`Cookie-${place}`, 'x'.repeat(7500)] as const)
  assert.equal((await sendRaw(port, { headers: [['X-API-Key', secret], ...cookies] })).status, 200)

  const limits = Array.from({ length: 8 }, (_, place) => ({
    name: `n${place}`.padEnd(32, 'n'),
    limit: 1_000_000_000,
    window: 2_678_400 - place,
  }))
  const owner = '漢'.repeat(120)
  const known = await issue({ owner, limits, quota: { amount: 1_000_000_000_000 } })
  await keyring.changeOwner(owner, {
    limits: limits.map((limit) => ({ ...limit, name: limit.name.replace('n', 'o') })),
  })
  const { status, headers } = await sendRaw(port, { headers: [['X-API-Key', known.secret]] })
  assert.deepEqual([status, headers['ratelimit']?.[0]?.split(', ').length], [200, 17])
})
