// How a cache follows a store that wakes it, as one across a network does: with entries that it can apply at once, and in
// answers to looks that arrive in any order.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chain } from '../../src/journal/chain.ts'
import type { OpenKeyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { ChangesSince, JournalEntry, JournalHead, Store, Touched } from '../../src/ports.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { inserting, newKey, newSecret } from '../conformance/store.ts'
import { codeOf, newFile, scopes, shop, storeIn } from '../keyring/workbench.ts'

interface Followed {
  readonly keyring: OpenKeyring<keyof typeof scopes>
  /** What another instance works on. */
  readonly theirs: Store
  readonly wake: (entries?: readonly Touched[]) => void
  /** The heads that the cache says it has applied. */
  readonly applied: readonly JournalHead[]
  /** Looks that are not answered yet; each is answered with what it saw when it was asked, or with something else. */
  readonly looks: ((instead?: ChangesSince) => void)[]
  /** Whether looks wait in `looks`. */
  readonly hold: (held: boolean) => void
  /** Moves the clock, and ends the waits that are over then. */
  readonly pass: (milliseconds: number) => void
  readonly store: Store
  readonly asked: () => number
}

async function open(): Promise<Followed> {
  const file = newFile()
  const [inner, theirs] = [storeIn(file), storeIn(file)]
  const applied: JournalHead[] = []
  const looks: ((instead?: ChangesSince) => void)[] = []
  const timers = new Map<object, { readonly at: number; readonly call: () => void }>()
  let [now, held, asked] = [0, false, 0]
  let wake: Followed['wake'] | undefined
  const store: Store = {
    ...inner,
    lease: 1000,
    follow(woken) {
      wake = woken
      const follower = inner.follow(woken)
      return {
        async changesSince(after) {
          asked++
          const seen = await follower.changesSince(after)
          if (!held) return seen
          return new Promise((resolve) => looks.push((instead = seen) => resolve(instead)))
        },
        applied: (head) => applied.push(head),
        close: () => follower.close(),
      }
    },
  }
  const clock = {
    now: () => 1000,
    monotonic: () => now,
    after(milliseconds: number, call: () => void) {
      const timer = {}
      timers.set(timer, { at: now + milliseconds, call })
      return () => void timers.delete(timer)
    },
  }
  const keyring = await openKeyring({ store, scopes, clock })
  return {
    keyring,
    theirs,
    wake: (entries) => wake?.(entries),
    applied,
    looks,
    hold: (value) => void (held = value),
    pass(milliseconds) {
      now += milliseconds
      for (const [timer, { at, call }] of timers) if (at <= now && timers.delete(timer)) call()
    },
    store,
    asked: () => asked,
  }
}

/** Everything that waits for nothing but its turn has had it. */
async function turns(): Promise<void> {
  await new Promise(setImmediate)
}

async function revokedBy(store: Store, id: string): Promise<readonly JournalEntry[]> {
  const found = await store.byId(id)
  assert.ok(found)
  const draft = { at: 1000, actor: 'them', action: 'revoke', subject: id, change: '{}' } as const
  const key = { ...found.key, revokedAt: 1000, revokedReason: 'unused' } as const
  return (await store.commit([{ kind: 'update', key, draft }], chain)) ?? []
}

test('entries that continue what was seen are applied at once, and confirmed once they are forgotten', async () => {
  const { keyring, theirs, wake, applied, asked } = await open()
  const { key, secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  const before = asked()
  const [entry] = await revokedBy(theirs, key.id)
  wake([entry!])
  assert.deepEqual(applied.at(-1), { seq: entry?.seq, hash: entry?.hash })
  assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  wake([entry!])
  await turns()
  assert.equal(asked(), before, 'without a look, also when it is told twice')
  await keyring.close()
})

test('entries over a gap are not applied: a look brings all of them', async () => {
  const { keyring, theirs, wake, applied } = await open()
  const [one, other] = [await keyring.issue(shop), await keyring.issue(shop)]
  for (const { secret } of [one, other]) assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  await revokedBy(theirs, one.key.id)
  const [last] = await revokedBy(theirs, other.key.id)
  wake([last!])
  assert.notEqual(applied.at(-1)?.seq, last?.seq)
  await turns()
  await turns()
  assert.deepEqual(applied.at(-1), { seq: last?.seq, hash: last?.hash })
  for (const { secret } of [one, other]) assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  await keyring.close()
})

test('an entry of another history is not applied, though it has the next number', async () => {
  const { keyring, theirs, wake, applied } = await open()
  const { key, secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  const seen = applied.at(-1)
  wake([{ seq: 2, action: 'issue', subject: 'key_other', previous: 'f'.repeat(64), hash: 'e'.repeat(64) }])
  assert.deepEqual(applied.at(-1), seen)
  const [entry] = await revokedBy(theirs, key.id)
  wake([entry!])
  assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  await keyring.close()
})

test('the answer to a look that began before what was applied takes nothing back, and gives its lease', async () => {
  const { keyring, theirs, wake, applied, looks, hold, pass, asked } = await open()
  const { key, secret } = await keyring.issue(shop)
  hold(true)
  pass(1000)
  const waiting = codeOf(keyring.verify(secret))
  await turns()
  const [entry] = await revokedBy(theirs, key.id)
  wake([entry!])
  wake([{ ...entry!, seq: 3, previous: entry!.hash, hash: 'd'.repeat(64), action: 'change' }])
  looks.shift()?.()
  assert.equal(await waiting, 'revoked')
  assert.equal(applied.at(-1)?.seq, 3)
  const before = asked()
  assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  assert.equal(asked(), before)
  hold(false)
  await keyring.close()
})

test('where a look and what was applied meanwhile are of two histories, nothing is accepted before the next look', async () => {
  const { keyring, theirs, wake, looks, hold, pass } = await open()
  const { key, secret } = await keyring.issue(shop)
  const { secret: another } = await keyring.issue(shop)
  for (const one of [secret, another]) assert.equal(await codeOf(keyring.verify(one)), 'accepted')
  hold(true)
  pass(1000)
  const waiting = codeOf(keyring.verify(another))
  await turns()
  const [entry] = await revokedBy(theirs, key.id)
  wake([entry!])
  const lost = { ...entry!, subject: 'key_other', hash: 'f'.repeat(64) }
  looks.shift()?.({ head: lost, changed: [lost], imported: [] })
  assert.equal(await waiting, 'unavailable')
  hold(false)
  assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  assert.equal(await codeOf(keyring.verify(another)), 'accepted')
  await keyring.close()
})

test('a look is not waited for longer than 250 ms, and still gives a lease when it is answered', async () => {
  const { keyring, looks, hold, pass } = await open()
  const { secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  hold(true)
  pass(1000)
  const waiting = codeOf(keyring.verify(secret))
  await turns()
  pass(249)
  pass(1)
  assert.equal(await waiting, 'unavailable')
  looks.shift()?.()
  await turns()
  assert.ok(!('then' in keyring.verify(secret)), 'at once')
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  hold(false)
  await keyring.close()
})

test('who is woken while a look is under way looks again: it may have begun too early', async () => {
  const { keyring, theirs, wake, applied, looks, hold } = await open()
  const { key } = await keyring.issue(shop)
  hold(true)
  wake()
  await turns()
  const [entry] = await revokedBy(theirs, key.id)
  wake()
  looks.shift()?.()
  await turns()
  assert.equal(applied.at(-1)?.seq, 1)
  looks.shift()?.()
  await turns()
  assert.equal(applied.at(-1)?.seq, entry?.seq)
  hold(false)
  await keyring.close()
})

test('after an import that others made, nothing is refused by its form without a look', async () => {
  const { keyring, theirs, wake, asked } = await open()
  const made = { ...newKey(), secret: newSecret({ kind: 'sha512', hash: 'a'.repeat(128) }) }
  assert.equal(await codeOf(keyring.verify('of another form')), 'malformed')
  const imported = inserting(made)
  const entries = await theirs.commit([{ ...imported, draft: { ...imported.draft, action: 'import' } }], chain)
  const before = asked()
  assert.equal(await codeOf(keyring.verify('of another form')), 'malformed')
  assert.equal(asked(), before)
  wake(entries)
  assert.equal(await codeOf(keyring.verify('of another form')), 'malformed')
  assert.equal(asked(), before + 1)
  await keyring.close()
})

test('a look that began before the first import refuses nothing by its form, also if the next one fails', async () => {
  const { keyring, theirs, wake, looks, hold, pass, asked } = await open()
  const text = 'a secret that was made elsewhere'
  assert.equal(await codeOf(keyring.verify(text)), 'malformed')
  hold(true)
  pass(1000)
  const waiting = codeOf(keyring.verify(text))
  await turns()
  const imported = inserting({ ...newKey(), secret: newSecret({ kind: 'sha256', hash: hashSecret(text) }) })
  wake(await theirs.commit([{ ...imported, draft: { ...imported.draft, action: 'import' } }], chain))
  looks.shift()?.()
  await turns()
  // A look that is not answered in time is no answer.
  pass(250)
  assert.equal(await waiting, 'unavailable')
  const before = asked()
  hold(false)
  looks.shift()?.()
  await turns()
  assert.equal(await codeOf(keyring.verify(text)), 'accepted')
  assert.equal(asked(), before)
  await keyring.close()
})

test('a keyring that is closed has no lease, also if a look is answered later', async () => {
  const { keyring, looks, hold, pass } = await open()
  const { secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  hold(true)
  pass(1000)
  const waiting = keyring.verify(secret)
  await turns()
  await keyring.close()
  looks.shift()?.()
  assert.equal(await codeOf(waiting), 'unavailable')
  assert.equal(await codeOf(keyring.verify(secret)), 'unavailable')
})
