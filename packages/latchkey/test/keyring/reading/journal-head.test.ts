import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openKeyring } from '../../../src/index.ts'
import { backgroundCheckOf } from '../../../src/keyring/reading/journal-head.ts'
import type { Store } from '../../../src/ports.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import { newFile, openOn, scopes, shop, speeds, stillClock } from '../workbench.ts'

const admin = { name: 'Admin', owner: 'ops', environment: 'admin', scopes: ['journal:read', 'keys:write'] } as const

for (const [speed, shape] of speeds) {
  test(`one entry is read by its number, with the values before, by those who may read it, on a store that answers ${speed}`, async () => {
    const { keyring } = await openOn(shape)
    const { key } = await keyring.issue(shop)
    const other = await keyring.issue({ ...shop, owner: 'umbrella' })
    const elsewhere = await keyring.issue({ ...shop, environment: 'test' })
    const changed = await keyring.change(key.id, { name: 'Renamed' })
    const found = await keyring.journalEntry(changed.key.revision)
    assert.deepEqual([found?.entry.action, found?.before], ['change', { name: shop.name }])
    assert.equal((await keyring.journalEntry(key.revision))?.before, null)
    const owner = await keyring.changeOwner('acme', { disabled: true })
    assert.deepEqual((await keyring.journalEntry(owner.owner.revision))?.before, { disabled: false, limits: [] })
    await keyring.changeOwner('acme', { disabled: false })
    assert.equal(await keyring.journalEntry(999), undefined)
    await assert.rejects(keyring.journalEntry(0), { code: 'invalid_input' })

    const bound = await keyring.issue({ ...admin, delegation: { owner: 'acme', environments: ['live'], scopes: [] } })
    const view = keyring.as(bound.key.id)
    assert.deepEqual((await view.journalEntry(changed.key.revision))?.before, { name: shop.name })
    for (const seq of [other.key.revision, elsewhere.key.revision, bound.key.revision, 999]) {
      assert.equal(await view.journalEntry(seq), undefined, String(seq))
    }
    const global = await keyring.issue({ ...admin, delegation: { owner: null, environments: ['live'], scopes: [] } })
    await assert.rejects(keyring.as(global.key.id).journalEntry(1), { code: 'beyond_delegation' })
    await assert.rejects(view.journalHead(), { code: 'beyond_delegation' }, 'it would tell how much others are changed')
    await keyring.close()
  })

  test(`the end of the journal is told with what was checked behind it, on a store that answers ${speed}`, async () => {
    const { keyring, clock } = await openOn(shape)
    assert.deepEqual(await keyring.journalHead(), { head: null, checkedTo: 0, checkedAt: null, intact: true })
    const { key } = await keyring.issue(shop)
    const { entry } = (await keyring.journalEntry(key.revision)) ?? {}
    const head = { seq: 1, hash: entry?.hash }
    let report = await keyring.journalHead()
    assert.deepEqual(report.head, head)
    // Each call has it go on; what it does is not waited for.
    while (report.checkedTo < 1) report = await keyring.journalHead()
    assert.deepEqual(report, { head, checkedTo: 1, checkedAt: clock.now(), intact: true })
    await keyring.close()
  })
}

/** A journal in a file, a check of it, and a program that changes the file. */
async function checked(entries: number): Promise<{
  readonly store: Store
  readonly check: ReturnType<typeof backgroundCheckOf>
  readonly tamper: (sql: string) => void
}> {
  const file = newFile()
  const store = sqliteStore({ file })
  const clock = stillClock(0)
  const keyring = await openKeyring({ store, scopes, clock })
  await keyring.issueMany(Array.from({ length: entries }, () => shop))
  const tamper = (sql: string): void => {
    const database = new DatabaseSync(file)
    database.exec(sql)
    database.close()
  }
  return { store, check: backgroundCheckOf({ store, clock }), tamper }
}

test('the check in the background finds what was altered, taken out or written anew, and goes on from where it was', async () => {
  const wrong = {
    altered: [`UPDATE latchkey_journal SET actor = 'eve' WHERE seq = 240`, 240],
    missing: [`DELETE FROM latchkey_journal WHERE seq = 220`, 220],
  } as const
  for (const [fault, [sql, at]] of Object.entries(wrong)) {
    const { store, check, tamper } = await checked(250)
    tamper(sql)
    await check.goOn()
    const { checkedTo, intact, faulty, fault: named } = check.result()
    assert.deepEqual([checkedTo, intact, faulty, named], [at - 1, false, at, fault])
    await store.close()
  }
  const { store, check, tamper } = await checked(10)
  await check.goOn()
  assert.equal(check.result().checkedTo, 10)
  tamper(`UPDATE latchkey_journal SET hash = '${'0'.repeat(64)}' WHERE seq = 10`)
  await check.goOn()
  assert.deepEqual([check.result().faulty, check.result().fault], [10, 'rewritten'])
  await store.close()
})

test('the check in the background reads in bounded pieces, and a bounded number of them for each who asks', async () => {
  const asked: number[] = []
  const endless: Pick<Store, 'journal'> = {
    journal: ({ after, limit }) => {
      asked.push(limit)
      const first = Math.max(1, after + 1)
      const entry = { at: 0, actor: '', action: 'issue', subject: '', change: '{}', emptiedBy: 1 } as const
      const hashOf = (seq: number): string => (seq < 1 ? '0'.repeat(64) : String(seq).padStart(64, '0'))
      return Array.from({ length: limit }, (_, index) => {
        const seq = first + index
        return { ...entry, seq, hash: hashOf(seq), previous: hashOf(seq - 1) }
      })
    },
  }
  const check = backgroundCheckOf({ store: endless, clock: { now: () => 5 } })
  await Promise.all([check.goOn(), check.goOn()])
  const { checkedTo, intact } = check.result()
  assert.ok(intact && checkedTo >= 20_000 && checkedTo <= 20_100, String(checkedTo))
  assert.ok(asked.length <= 100 && asked.every((limit) => limit <= 201))
})
