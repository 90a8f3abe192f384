import type { KeyDetails, OpenKeyring } from 'latchkey'
import type { Random } from './random.ts'

/** An owner that will be erased. Its name and its mark are in all that is told of it. */
export interface Doomed {
  readonly owner: string
  readonly mark: string
}

const letters = 'abcdefghijklmnopqrstuvwxyz'

/** Owners that stay. */
export const others = ['globex', 'initech', 'hooli'] as const

/** Makes an owner with keys of every fate: used, changed, rotated, revoked, erased, given away, taken over, bound to. */
export async function populate(keyring: OpenKeyring, random: Random): Promise<Doomed> {
  const mark = random.text(14, letters)
  const owner = `${mark} & "Söhne"`
  const told = { note: `A word about ${mark}`, actor: random.chance(0.5) ? owner : `clerk of ${mark}` }
  const newKey = { name: `Key of ${mark}`, owner, scopes: [], metadata: { address: `17 ${mark} Street` } } as const
  for (let count = 1 + random.below(12); count > 0; count--) {
    const { key, secret } = await keyring.issue(newKey)
    if (random.chance(0.5)) await keyring.verify(secret)
    if (random.chance(0.1))
      for (let time = 0; time < 120; time++) await keyring.change(key.id, { name: `${mark} ${time}` })
    else if (random.chance(0.4)) await keyring.change(key.id, { name: `Renamed ${mark}` }, { note: told.note })
    if (random.chance(0.3)) await keyring.rotate(key.id, { note: told.note })
    if (random.chance(0.2)) {
      await keyring.change(key.id, { owner: random.pick(others), name: 'Given away', metadata: null })
      continue
    }
    if (random.chance(0.3)) await keyring.revoke(key.id, { reason: 'requested', note: told.note })
    if (random.chance(0.3)) await keyring.verify(secret)
  }
  const { key: taken } = await keyring.issue({ name: 'Taken over', owner: random.pick(others), scopes: [] })
  await keyring.change(taken.id, { owner }, { note: told.note })
  const delegation = { owner, environments: ['live'], scopes: ['*'] } as const
  const admin = { name: 'Admin', owner: 'hooli', environment: 'admin', scopes: ['keys:read'] } as const
  const { key: bound } = await keyring.issue({ ...admin, delegation })
  await keyring.change(bound.id, { delegation: { ...delegation, owner: 'hooli' } })
  const limits = [{ name: 'all', limit: 1 + random.below(1000), window: 60 }]
  await keyring.changeOwner(owner, { limits }, { note: told.note })
  // Done by the one who is erased, to what stays.
  const { key: touched } = await keyring.issue({
    name: 'Touched',
    owner: random.pick(others),
    scopes: [],
    actor: owner,
  })
  await keyring.change(touched.id, { name: 'Touched again' }, { actor: owner })
  await keyring.changeOwner(owner, { disabled: true }, { note: told.note })
  return { owner, mark }
}

/** All keys of the owners that stay, but for what may change of them meanwhile: the revision, and when they were used last. */
export async function keysThatStay(keyring: OpenKeyring): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const owner of others) {
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await keyring.list({ owner, limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
      for (const { id } of page.keys) found.set(id, textOf(await keyring.find(id)))
      cursor = page.cursor
    }
  }
  return found
}

/** The members that say when something was used. */
const usedAt: ReadonlySet<string> = new Set(['lastUsedAt', 'oldLastUsedAt'])

function textOf(key: KeyDetails | undefined): string {
  return JSON.stringify({ ...key, revision: 0 }, (name, value: unknown) => (usedAt.has(name) ? undefined : value))
}
