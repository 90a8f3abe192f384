import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { StatementSync } from 'node:sqlite'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { kill } from '../../../../test/kill.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { codeOf, newFile, scopes, shop } from './workbench.ts'

test('while another process holds the write lock, fifty calls that spend wait as one, and all others go on', async (context) => {
  const file = newFile()
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const metered = await keyring.issue({ ...shop, quota: { amount: 50, refill: null } })
  const free = await keyring.issue(shop)
  const holder = fork(new URL('../store/lock-holder.ts', import.meta.url), [file])
  context.after(() => kill(holder))
  const told = async (): Promise<unknown> => (await once(holder, 'message'))[0]
  assert.equal(await told(), 'open')
  holder.send('lock')
  assert.equal(await told(), 'locked')

  let tries = 0
  const all = StatementSync.prototype.all
  context.mock.method(
    StatementSync.prototype,
    'all',
    function (this: StatementSync, ...values: Parameters<typeof all>) {
      if (this.sourceSQL.includes('latchkey_quotas SET') || this.sourceSQL.startsWith('INSERT INTO latchkey_quotas'))
        tries++
      return all.apply(this, values)
    },
  )
  const answers: number[] = []
  const spending = Array.from({ length: 50 }, async () => {
    const verdict = await keyring.verify(metered.secret)
    answers.push(verdict.limits?.[0]?.remaining ?? -1)
    return verdict
  })
  assert.equal(tries, 1, 'the first has tried, and the others wait behind it')
  for (let turn = 0, before = tries; turn < 500; turn++) {
    assert.equal(await codeOf(keyring.verify(free.secret)), 'accepted')
    await nextTurn()
    assert.ok(tries <= before + 1, 'not more than one try between two turns of the loop')
    before = tries
  }
  assert.deepEqual(answers, [])
  holder.send('unlock')
  assert.equal(await told(), 'free')
  assert.ok((await Promise.all(spending)).every(({ ok }) => ok))
  assert.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, index) => 49 - index),
    'in the order in which they came',
  )
  holder.disconnect()
  await once(holder, 'exit')
  await keyring.close()
})
