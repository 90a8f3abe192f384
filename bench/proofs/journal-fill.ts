import { createHash } from 'node:crypto'
import type { Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { testClock } from 'latchkey/testing'
import type { Random } from './random.ts'

/** A keyring with a journal, and a way to make it longer. */
export interface Kept {
  readonly keyring: Keyring
  /** Makes one change of any kind. */
  readonly grow: () => Promise<void>
}

/** The last so many entries are of every kind. */
const varied = 200

/** Opens a keyring on a new file, with a journal of so many entries of every kind. */
export async function fillJournal({
  file,
  entries,
  random,
}: {
  file: string
  entries: number
  random: Random
}): Promise<Kept> {
  const clock = testClock()
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: {}, clock })
  const ids: string[] = []
  const owner = (): string => `owner ${random.below(5)}`

  async function issue(): Promise<void> {
    const { key } = await keyring.issue({
      name: `Key ${random.text(3, 'abc')}`,
      owner: owner(),
      scopes: [],
      actor: owner(),
      ...(random.chance(0.3) ? { metadata: { plan: random.text(3, 'abc') }, expiresAt: clock.now() + 1e12 } : {}),
      ...(random.chance(0.3) ? { limits: [{ name: 'all', limit: 1 + random.below(100), window: 60 }] } : {}),
      ...(random.chance(0.3) ? { quota: { amount: 1 + random.below(100) }, addresses: ['192.0.2.0/24'] } : {}),
    })
    ids.push(key.id)
  }
  async function takeIn(): Promise<void> {
    const hash = createHash('sha256').update(random.text(20, 'abcdef')).digest('hex')
    const made = await keyring.importMany([
      { name: 'Key', owner: owner(), scopes: [], hash, algorithm: 'sha256', bits: 128 },
    ])
    if (!made.repeated) ids.push(...made.created.map(({ id }) => id))
  }
  async function grow(): Promise<void> {
    clock.advance(random.below(100_000))
    const id = ids.length === 0 ? undefined : random.pick(ids)
    if (id === undefined || random.chance(0.3)) return issue()
    const key = await keyring.find(id)
    if (key === undefined || key.state === 'revoked') return issue()
    const actor = owner()
    const verbs: readonly (() => Promise<unknown>)[] = [
      takeIn,
      () => keyring.change(id, { name: `${key.name}'` }, { actor, note: `.${random.text(5, 'ab é')}.` }),
      () => (key.secrets.length > 1 ? keyring.retire(id, { actor }) : keyring.rotate(id, { actor })),
      () => (key.state === 'disabled' ? keyring.enable(id) : keyring.disable(id)),
      () => keyring.revoke(id, { reason: 'requested', actor }),
      () => keyring.changeOwner(key.owner, { disabled: random.chance(0.5) }),
      () => keyring.changeOwner(key.owner, { limits: [{ name: 'all', limit: 1 + random.below(1e6), window: 60 }] }),
    ]
    await random.pick(verbs)()
  }

  // Many at once where only the number counts: every change waits some milliseconds for others.
  for (let missing = entries - varied; missing > 0; missing -= 1000) {
    const keys = Array.from({ length: Math.min(missing, 1000) }, () => ({ name: 'Key', owner: owner(), scopes: [] }))
    const made = await keyring.issueMany(keys)
    if (!made.repeated) ids.push(...made.created.map(({ key }) => key.id))
  }
  while ((await keyring.journal({ after: entries - 1, limit: 1 })).entries.length === 0) await grow()
  return { keyring, grow }
}
