import { hash } from 'node:crypto'
import { anyText, bounds, objectOf, text } from '../../input.ts'
import { emptied, erased, isEmpty } from '../../journal/emptied.ts'
import { membersOfText } from '../../journal/change-text.ts'
import { names, rowsWithout } from '../../journal/naming.ts'
import { rowsTold } from '../../journal/snapshot-rows.ts'
import { subjectOfOwner } from '../../journal/subject.ts'
import type { Change, Conditions, Emptied, JournalEntry } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf, mustSeeAll } from '../authority.ts'
import type { EraseOptions } from '../call-options.ts'
import { eraseOptions } from '../call-options.ts'
import { mustBeErasable } from './erasable-owner.ts'
import type { Erased, ErasingSteps } from './erasing.ts'
import { clear, erasingSteps, piece } from './erasing.ts'
import { idempotentCallOf, resultBefore } from '../idempotency.ts'
import { untilUndisturbed } from '../optimistic.ts'
import { restatedKey, restated } from './restated.ts'
import { propagated } from '../propagated.ts'

/** Keys that are erased in one transaction. */
const keysAtOnce = 2

/** Actors that are nobody's name: the keyring itself, an application that gave none, and what stands where a name was. */
const noName: ReadonlySet<string> = new Set(['application', 'latchkey', erased])

/**
 * The function behind `Keyring.eraseOwner`: in transactions of some milliseconds, after each of which the journal is
 * intact. If it is interrupted, the owner is still there and disabled, and the same call again finishes it.
 */
export async function eraseOwner<Scope extends string>(
  parts: KeyringParts<Scope>,
  name: string,
  options: EraseOptions,
): Promise<Erased> {
  const { store } = parts
  objectOf('The options of eraseOwner', options, eraseOptions)
  const owner = text('owner', name, bounds.label)
  const { ifRevision } = options
  const caller = text('actor', options.actor ?? parts.authority ?? 'application', bounds.label)
  // Neither the entries of this call nor what is kept of it must name the owner again.
  const actor = caller === owner ? erased : caller
  const idempotencyKey = withoutName(options.idempotencyKey, owner)
  const idempotent = idempotentCallOf(parts, { idempotencyKey, actor }, ['erase owner', owner, ifRevision])
  const mayErase = async (): Promise<Conditions['authority']> => {
    const authority = await authorityOf(parts, 'owners:erase')
    mustSeeAll(authority)
    return authority.witness
  }
  // The journal up to here names the owner nowhere any more, but in what is about it.
  let searched = 0

  const done = await untilUndisturbed(async () => {
    await mayErase()
    const before = await resultBefore(store, idempotent)
    if (before !== undefined) return { entry: before.seq, hash: undefined, repeated: true }
    const revision = await mustBeErasable(parts, { owner, ifRevision })
    const subject = subjectOfOwner(owner)
    const isActor = !(await isNoName(parts, owner))
    const empty = (entry: JournalEntry): Emptied =>
      emptied(entry, {
        ...(isActor && entry.actor === owner ? { actor: erased } : {}),
        ...(entry.subject === subject ? { subject: erased } : {}),
      })
    const steps = erasingSteps(parts, { actor, mayErase, empty, owner: { owner, revision } })
    if (!(await eraseKeys(parts, steps, owner))) return undefined
    if (!(await emptyFiled(parts, steps, owner))) return undefined
    const reached = await emptyNaming(parts, steps, { owner, after: searched })
    if (reached === undefined) return undefined
    searched = reached
    if (isActor && !(await emptyActor(parts, steps, owner))) return undefined
    await steps.forgetUse({ owner })
    const last = await steps.allButLast(subject)
    if (last === undefined) return undefined
    const [entry] = (await steps.commit([steps.ownerChange(last, searched)], idempotent)) ?? []
    return entry === undefined ? undefined : { entry: entry.seq, hash: entry.hash, repeated: false }
  }, 'The owner, or something of it, is being changed by others all the time. Try again.')
  const settled = propagated(await store.settled(done.entry, done.hash))
  const cleared = await clear(store)
  return { entry: done.entry, cleared, ...settled, repeated: done.repeated }
}

/** The idempotency key is kept for a day, so one that has the name of the owner is kept as a hash. */
function withoutName(idempotencyKey: string | undefined, owner: string): string | undefined {
  if (idempotencyKey === undefined) return undefined
  const checked = anyText('idempotencyKey', idempotencyKey, bounds.idempotencyKey)
  return checked.includes(owner) ? hash('sha256', checked, 'hex') : checked
}

/** Erases the keys of an owner, some at a time. Answers `false` if something was changed meanwhile. */
async function eraseKeys<Scope extends string>(
  { store, clock }: KeyringParts<Scope>,
  steps: ErasingSteps,
  owner: string,
): Promise<boolean> {
  const any = { environments: undefined, states: undefined, grants: undefined, text: undefined, urgent: true }
  for (;;) {
    // The first page anew each time: the keys on it are gone.
    const asked = { ...any, owner, now: clock.now(), order: 'oldest', after: undefined, limit: keysAtOnce } as const
    const { items } = await store.list(asked)
    if (items.length === 0) return true
    const changes: Change[] = []
    let entries = 0
    for (const { key } of items) {
      await steps.forgetUse({ key: key.id })
      const last = await steps.allButLast(key.id)
      if (last === undefined) return false
      entries += last.length
      if (changes.length > 0 && entries > piece) break
      changes.push(steps.change(last, { subject: key.id, key }))
    }
    if ((await steps.commit(changes)) === undefined) return false
  }
}

/** Empties the entries that are in the journal of an owner: on keys that it gave away, or that are there no longer. */
async function emptyFiled<Scope extends string>(
  parts: KeyringParts<Scope>,
  steps: ErasingSteps,
  owner: string,
): Promise<boolean> {
  for (let seq = 0; ;) {
    const position = seq === 0 ? undefined : { at: 0, seq }
    const found = await parts.store.entries({ order: 'oldest', position, limit: piece, owner })
    seq = found.at(-1)?.entry.seq ?? seq
    // Its own entries go with its row.
    const entries = found.map(({ entry }) => entry).filter(({ subject }) => subject !== subjectOfOwner(owner))
    if (entries.length > 0 && !(await emptySome(parts, steps, { owner, entries }))) return false
    if (found.length < piece) return true
  }
}

/** Empties what names an owner elsewhere: snapshots, and delegations that admin keys had. Answers how far it has looked. */
async function emptyNaming<Scope extends string>(
  parts: KeyringParts<Scope>,
  steps: ErasingSteps,
  { owner, after: begin }: { readonly owner: string; readonly after: number },
): Promise<number | undefined> {
  for (let after = begin; ;) {
    const { entries, upTo, more } = await parts.store.entriesNaming(owner, after)
    const naming = entries.filter((entry) => entry.action !== 'snapshot' && names(entry, owner))
    if (naming.length > 0 && !(await emptySome(parts, steps, { owner, entries: naming }))) return undefined
    for (const entry of entries) {
      const rows = rowsWithout(entry, owner)
      if (rows === undefined) continue
      const { rows: _rows, ...change } = membersOfText(entry.change)
      if (!(await steps.commit([steps.change([emptied(entry, { change })], { rows })]))) return undefined
    }
    after = upTo
    if (!more) return after
  }
}

/**
 * Whether an actor with this name is none that is called so. The id of a key is not: otherwise an admin key could take
 * itself out of what it has done, by an owner with its id as the name.
 */
async function isNoName<Scope extends string>({ store }: KeyringParts<Scope>, name: string): Promise<boolean> {
  if (noName.has(name)) return true
  return (await store.journal({ after: 0, limit: 1, subject: name, urgent: true })).length > 0
}

/** Takes the name of an owner out of entries in which it is the actor. What was done stays, and is told anew where it is last. */
async function emptyActor<Scope extends string>(
  parts: KeyringParts<Scope>,
  steps: ErasingSteps,
  owner: string,
): Promise<boolean> {
  for (let after = 0; ;) {
    const found = await parts.store.journal({ after, limit: piece, actor: owner, urgent: true })
    const entries = found.filter(({ subject }) => subject !== subjectOfOwner(owner))
    after = found.at(-1)?.seq ?? after
    const going = entries.map((entry) => {
      const { earlier: _earlier, rows: _rows, ...change } = membersOfText(entry.change)
      return emptied(entry, { actor: erased, change })
    })
    const anew = await Promise.all(entries.map(async (entry) => restated(parts.store, entry, steps.draft)))
    const changes = [steps.change(going, { rows: entries.flatMap(rowsTold) }), ...anew.flat()]
    if (going.length > 0 && !(await steps.commit(changes))) return false
    if (found.length < piece) return true
  }
}

/**
 * Empties entries on keys of others. Each of these keys gets a new salt: with the old one, and with what is known of the
 * key, the hash of an emptied entry would confirm a guess of what was in it.
 */
async function emptySome<Scope extends string>(
  { store }: KeyringParts<Scope>,
  steps: ErasingSteps,
  { owner, entries }: { readonly owner: string; readonly entries: readonly JournalEntry[] },
): Promise<boolean> {
  const going = entries.filter((entry) => !isEmpty(entry) && entry.action !== 'erase')
  const changes: Change[] = [steps.change(going.map(steps.empty), { unfiled: entries.map(({ seq }) => seq) })]
  for (const subject of new Set(going.map((entry) => entry.subject))) {
    const kept = await store.byId(subject)
    if (kept === undefined) continue
    if (kept.key.owner === owner) return false
    changes.push(restatedKey(kept, steps.draft))
  }
  return (await steps.commit(changes)) !== undefined
}
