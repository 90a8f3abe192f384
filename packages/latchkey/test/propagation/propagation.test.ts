import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MembersTable, MemberView, Progress } from '../../src/propagation/members.ts'
import { propagationOf } from '../../src/propagation/propagation.ts'

/** Milliseconds: what a change waits for a lease of 1000 ms. */
const longest = 1021

interface Bench {
  readonly propagation: ReturnType<typeof propagationOf>
  readonly table: { progress: Progress; view: MemberView }
  /** The statements that were sent, with what they are about. */
  readonly sent: readonly string[]
  readonly pass: (milliseconds: number) => Promise<void>
}

/** The propagation on a table that answers at once what the test says. */
function bench(): Bench {
  let now = 0
  const timers = new Set<{ readonly at: number; readonly call: () => void }>()
  const sent: string[] = []
  const head = { seq: 3, hash: 'c' }
  const table: Bench['table'] = {
    progress: { members: 1, behind: [], lost: [], incarnation: 'one', isFenced: false },
    view: { row: 'present', isReplica: false, hashAtSeen: 'c', head, changed: [], imported: [] },
  }
  const statements: MembersTable = {
    async register({ former }) {
      sent.push(former === undefined ? 'register' : 'register again')
    },
    async look() {
      sent.push('look')
      return table.view
    },
    async confirm(_, { hash }) {
      sent.push(`confirm ${hash}`)
    },
    progress: async () => table.progress,
    async doom(ids) {
      sent.push(`doom ${ids.join(' ')}`)
    },
    async removeDoomed(ids) {
      sent.push(`remove ${ids.join(' ')}`)
    },
    async leave() {
      sent.push('leave')
    },
    async trust(incarnation) {
      sent.push(`trust ${incarnation}`)
    },
  }
  const propagation = propagationOf({
    table: statements,
    lease: 1000,
    instance: 'here',
    clock: { monotonic: () => now },
    after(milliseconds, call) {
      const timer = { at: now + milliseconds, call }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  })
  return {
    propagation,
    table,
    sent,
    async pass(milliseconds) {
      const until = now + milliseconds
      for (; now < until; now = Math.min(until, now + 1)) {
        for (const timer of timers) if (timer.at <= now && timers.delete(timer)) timer.call()
        await new Promise(setImmediate)
      }
    },
  }
}

const behind = [{ id: 'm1', instance: 'there', seen: 2 }]

test('a change is answered as soon as every member has confirmed it', async () => {
  const { propagation, table, pass } = bench()
  table.progress = { ...table.progress, members: 2, behind }
  const settled = propagation.settled(3)
  await pass(20)
  table.progress = { ...table.progress, behind: [] }
  await pass(20)
  const { waitedMs, ...told } = await settled
  assert.deepEqual(told, { instances: 2, confirmed: 2, lapsed: 0, lapsedInstances: [] })
  assert.ok(waitedMs < 40)
})

test('a member that does not confirm is waited for once, named, and removed after as long again', async () => {
  const { propagation, table, sent, pass } = bench()
  table.progress = { ...table.progress, members: 2, behind }
  const settled = propagation.settled(3)
  await pass(longest - 2)
  assert.deepEqual(sent, [])
  await pass(20)
  const { waitedMs, ...told } = await settled
  assert.deepEqual(told, { instances: 2, confirmed: 1, lapsed: 1, lapsedInstances: ['there'] })
  assert.ok(waitedMs > longest)
  assert.deepEqual(sent, ['doom m1'])
  await pass(longest - 40)
  assert.deepEqual(sent, ['doom m1'])
  await pass(60)
  assert.deepEqual(sent, ['doom m1', 'remove m1'])
})

test('after a failover every change waits as long as a lease, until the new server is trusted', async () => {
  const { propagation, table, sent, pass } = bench()
  table.progress = { ...table.progress, incarnation: 'two', isFenced: true }
  let answered = false
  const settled = propagation.settled(3).then(() => (answered = true))
  await pass(longest - 2)
  assert.deepEqual([answered, sent], [false, []])
  await pass(20)
  await settled
  assert.deepEqual(sent, ['trust two'])
})

test('a change that a failover has lost is not answered as done', async () => {
  const { propagation, table, pass } = bench()
  table.progress = { ...table.progress, lost: [3] }
  const settled = assert.rejects(propagation.settled(3, 'c'), { code: 'unavailable', message: /is lost/ })
  await pass(5)
  await settled
})

test('a member registers before it looks, renews in a third of its lease, and leaves when it is closed', async () => {
  const { propagation, sent, pass } = bench()
  let wakes = 0
  const follower = propagation.follow(() => wakes++)
  await follower.changesSince({ seq: 3, hash: 'c' })
  follower.applied({ seq: 3, hash: 'c' })
  await pass(1)
  assert.deepEqual(sent, ['register', 'look', 'confirm c'])
  await pass(1000)
  assert.ok(wakes >= 2, `${wakes} times`)
  await follower.close()
  assert.equal(sent.at(-1), 'leave')
  const before = wakes
  await pass(1000)
  assert.equal(wakes, before)
})

for (const row of ['absent', 'doomed'] as const) {
  test(`a member whose row is ${row} registers again with another id, and has no lease before that`, async () => {
    const { propagation, table, sent } = bench()
    const follower = propagation.follow(() => {})
    await follower.changesSince(undefined)
    table.view = { ...table.view, row }
    await assert.rejects(async () => follower.changesSince(undefined), { code: 'unavailable' })
    assert.deepEqual(sent, ['register', 'look', 'look', 'register again', 'look'])
    table.view = { ...table.view, row: 'present' }
    assert.deepEqual((await follower.changesSince(undefined)).changed, [])
  })
}

test('where the journal is another one, everything has changed; a replica says nothing', async () => {
  const { propagation, table, sent } = bench()
  const follower = propagation.follow(() => {})
  await follower.changesSince(undefined)
  assert.equal((await follower.changesSince({ seq: 3, hash: 'b' })).changed, 'everything')
  assert.deepEqual(sent.slice(2), ['look', 'register again', 'look'])
  table.view = { ...table.view, isReplica: true }
  await assert.rejects(async () => follower.changesSince(undefined), { code: 'unavailable', message: /repeats/ })
})

test('our own caches look at once when a change is waited for that they have not applied', async () => {
  const { propagation, pass } = bench()
  let wakes = 0
  const follower = propagation.follow(() => wakes++)
  follower.applied({ seq: 2, hash: 'b' })
  const settled = propagation.settled(3)
  assert.equal(wakes, 1)
  await pass(5)
  await settled
  await follower.close()
})
