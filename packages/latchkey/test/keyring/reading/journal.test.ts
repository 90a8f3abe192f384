import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { actions } from '../../../src/keyring/reading/journal.ts'
import type { JournalOptions, JournalPage } from '../../../src/keyring/reading/journal.ts'
import type { Keyring } from '../../../src/keyring/keyring.ts'
import { entriesOf } from '../../../../../test/entries.ts'
import { openOn, shop, speeds } from '../workbench.ts'

/** All pages of a walk, one after the other; `between` is done between two. */
async function walk(
  keyring: Keyring,
  options: JournalOptions,
  between: () => Promise<unknown> = async () => undefined,
): Promise<readonly number[]> {
  const seqs: number[] = []
  let page: JournalPage = await keyring.journal(options)
  for (;;) {
    seqs.push(...page.entries.map(({ seq }) => seq))
    if (page.cursor === null) return seqs
    await between()
    page = await keyring.journal({ ...options, cursor: page.cursor })
  }
}

for (const [speed, shape] of speeds) {
  describe(`the journal, page by page, on a store that answers ${speed}`, () => {
    test('every walk, in either order and with any filter, gives each entry that it is about once', async () => {
      const { keyring, clock } = await openOn(shape)
      const owners = ['acme', 'globex']
      const ids: string[] = []
      for (let index = 0; index < 30; index++) {
        // Clocks go back now and then.
        clock.advance(index % 7 === 0 ? -1500 : 500)
        const { key } = await keyring.issue({ ...shop, owner: owners[index % 2] ?? '', actor: `actor ${index % 3}` })
        ids.push(key.id)
        if (index % 3 === 0) await keyring.change(key.id, { owner: owners[(index + 1) % 2] ?? '' })
        if (index % 4 === 0) await keyring.disable(key.id, { actor: 'actor 1' })
        if (index % 10 === 5) await keyring.changeOwner('acme', { disabled: index === 5 })
      }
      const all = await entriesOf(keyring)
      const holders = ownersOf(all)
      const times = all.map(({ at }) => at)
      const time = fc.constantFrom(undefined, ...times)
      const filters = fc.record({
        key: fc.constantFrom(undefined, undefined, ...ids),
        owner: fc.constantFrom(undefined, ...owners),
        actor: fc.constantFrom(undefined, 'actor 1', 'application'),
        action: fc.constantFrom(undefined, ...actions),
        from: time,
        to: time,
        after: fc.constantFrom(undefined, 0, 20),
        order: fc.constantFrom('newest', 'oldest'),
        limit: fc.integer({ min: 1, max: 60 }),
      })
      await fc.assert(
        fc.asyncProperty(filters, async ({ key, owner: either, order, limit, ...others }) => {
          const owner = key === undefined ? either : undefined
          const { actor, action, from = -1, to = Infinity, after = -1 } = others
          const expected = all.filter(
            (entry) =>
              (key === undefined || entry.subject === key) &&
              (owner === undefined || holders.get(entry.seq)?.includes(owner) === true) &&
              (actor === undefined || entry.actor === actor) &&
              (action === undefined || entry.action === action) &&
              entry.at >= from &&
              entry.at < to &&
              entry.seq > after,
          )
          const byTime = others.from !== undefined || others.to !== undefined
          const inOrder = byTime ? expected.toSorted((one, two) => one.at - two.at || one.seq - two.seq) : expected
          const seqs = (order === 'oldest' ? inOrder : inOrder.toReversed()).map(({ seq }) => seq)
          const given = Object.entries({ key, owner, ...others }).filter(([, value]) => value !== undefined)
          assert.deepEqual(await walk(keyring, { ...Object.fromEntries(given), order, limit }), seqs)
        }),
        { numRuns: 200 },
      )
    })

    test('a walk gives each entry once, though more are written meanwhile', async () => {
      const { keyring } = await openOn(shape)
      for (let index = 0; index < 10; index++) await keyring.issue(shop)
      const write = async (): Promise<unknown> => keyring.issue(shop)
      assert.deepEqual(await walk(keyring, { limit: 3 }, write), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
      let more = 5
      const seqs = await walk(keyring, { owner: 'acme', limit: 3, order: 'oldest' }, async () => {
        if (more-- > 0) await write()
      })
      assert.deepEqual(
        seqs,
        seqs.map((_, index) => index + 1),
      )
    })

    test('a cursor of another order, and what is no filter, is refused by name', async () => {
      const { keyring } = await openOn(shape)
      for (let index = 0; index < 3; index++) await keyring.issue(shop)
      const { cursor } = await keyring.journal({ limit: 1 })
      const wrong: readonly (readonly [object, RegExp])[] = [
        [{ cursor, order: 'oldest' }, /^cursor/],
        [{ cursor, from: 0 }, /^cursor/],
        [{ cursor: 'page 2' }, /^cursor/],
        [{ order: 'last' }, /^order/],
        [{ action: 'delete' }, /^action/],
        [{ before: 3 }, /before/],
        [{ key: 'key_1', owner: 'acme' }, /^key and owner/],
      ]
      for (const [options, message] of wrong)
        await assert.rejects(keyring.journal(options), { code: 'invalid_input', message })
    })

    test('a bound admin key reads what was done to the keys of its owner while they were its own, and nothing else', async () => {
      const { keyring } = await openOn(shape)
      const ours = await keyring.issue({ ...shop, name: 'Ours' })
      const elsewhere = await keyring.issue({ ...shop, name: 'Not of its environment', environment: 'test' })
      const theirs = await keyring.issue({ ...shop, name: 'Theirs', owner: 'globex' })
      const operator = await keyring.issue({
        name: 'Operator',
        owner: 'ops',
        environment: 'admin',
        scopes: ['keys:write'],
        delegation: { owner: null, environments: ['live', 'test'], scopes: ['*'] },
      })
      await keyring.as(operator.key.id).disable(ours.key.id)
      await keyring.change(ours.key.id, { owner: 'globex', name: 'Sold' })
      await keyring.change(ours.key.id, { name: 'Secret plan of globex' })
      await keyring.change(theirs.key.id, { owner: 'acme' })
      await keyring.change(theirs.key.id, { name: 'Bought' })
      await keyring.disable(elsewhere.key.id)
      await keyring.changeOwner('acme', { limits: [{ name: 'a', limit: 1, window: 1 }] })
      const bound = await keyring.issue({
        name: 'Support',
        owner: 'acme',
        environment: 'admin',
        scopes: ['journal:read'],
        delegation: { owner: 'acme', environments: ['live'], scopes: [] },
      })
      const view = keyring.as(bound.key.id)
      const { entries, cursor } = await view.journal({ owner: 'acme', order: 'oldest' })
      assert.deepEqual(
        entries.map(({ action, subject, subjectName, actorName }) => [action, subject, subjectName, actorName]),
        [
          ['issue', ours.key.id, null, null],
          ['disable', ours.key.id, null, null],
          ['change', theirs.key.id, 'Bought', null],
          ['change', 'owner:acme', null, null],
        ],
      )
      assert.equal(cursor, null)
      assert.doesNotMatch(JSON.stringify(entries), /globex|Sold|Secret plan|Theirs","owner|Operator/)
      for (let limit = 1; limit <= 4; limit++)
        assert.deepEqual(
          await walk(view, { owner: 'acme', order: 'oldest', limit }),
          entries.map(({ seq }) => seq),
        )
      for (const options of [{}, { owner: 'globex' }, { actor: operator.key.id }, { action: 'issue' as const }])
        await assert.rejects(view.journal(options), { code: 'beyond_delegation' })
      await assert.rejects(view.journal({ key: ours.key.id }), { code: 'unknown_key' })
      const named = await keyring.journal({ key: ours.key.id, actor: operator.key.id })
      assert.deepEqual(
        [named.entries[0]?.actorName, named.entries[0]?.subjectName],
        ['Operator', 'Secret plan of globex'],
      )
    })
  })
}

/** The owners in whose journal each entry is, from what the entries say. */
function ownersOf(entries: Awaited<ReturnType<typeof entriesOf>>): ReadonlyMap<number, readonly string[]> {
  const owner = new Map<string, string>()
  const found = new Map<number, readonly string[]>()
  for (const { seq, action, subject, change } of entries) {
    const { owner: first, after } = change as { readonly owner?: string; readonly after?: { readonly owner?: string } }
    if (subject.startsWith('owner:')) {
      found.set(seq, [subject.slice('owner:'.length)])
      continue
    }
    const before = owner.get(subject)
    const now = action === 'issue' ? first : (after?.owner ?? before)
    if (now !== undefined) owner.set(subject, now)
    found.set(
      seq,
      [...new Set([before, now])].filter((one) => one !== undefined),
    )
  }
  return found
}
