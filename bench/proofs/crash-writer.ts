// Started by crash.ts, which kills it: opens a keyring and lets writers change keys by every verb until it dies. Every
// message is one line of JSON on stdout, which is a pipe: written at once, and there when this process no longer is.

import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Keyring } from 'latchkey'
import { LatchkeyError, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Random } from './random.ts'
import { seeded } from './random.ts'

/** The scopes of the keyring. */
export const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }

type Scope = keyof typeof scopes

/** The possible grants: nothing, one scope, two, all of a resource. */
const grants = [[], ['orders:read'], ['orders:read', 'orders:write'], ['orders:*']] as const

/** A key as it was requested. */
export interface Wanted {
  readonly name: string
  readonly owner: string
  readonly scopes: readonly (Scope | 'orders:*')[]
}

/**
 * The messages of the writing process. `mark` identifies a change in the journal: it is the note, or in the metadata of
 * a new key.
 */
export type Message =
  | { readonly is: 'opening' }
  | { readonly is: 'open' }
  | { readonly is: 'begun'; readonly mark: string; readonly revoking?: string }
  | {
      readonly is: 'done'
      readonly mark: string
      /** A new secret, and the key that has it. */
      readonly secret?: readonly [secret: string, id: string]
      readonly issued?: Wanted
      readonly revoked?: string
    }
  /** Another writer has revoked the key in between. */
  | { readonly is: 'refused'; readonly mark: string }
  | { readonly is: 'spending'; readonly id: string }
  | { readonly is: 'spent'; readonly id: string }

/** How many keys of an earlier life a writer goes on with. */
const inherited = 20

/** Seconds for which an old secret goes on working: longer than any proof. */
const grace = 86_400

/** The scopes of the key whose quota is spent. */
export const quota = 1_000_000

/** A key that a writer knows. */
interface Own {
  readonly id: string
  disabled: boolean
  rotating: boolean
}

if (import.meta.main) {
  const [file = '', writers = '', seed = ''] = process.argv.slice(2)
  await main({ file, writers: Number(writers), seed: Number(seed) })
}

async function main({ file, writers, seed }: { file: string; writers: number; seed: number }): Promise<void> {
  const random = seeded(seed)
  tell({ is: 'opening' })
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  tell({ is: 'open' })
  let last = 0
  const newMark = (): string => `${seed}.${++last}`
  // Shared: two writers may well revoke the same key at the same time.
  const alive: string[] = []
  await Promise.all(
    Array.from({ length: writers }, (_, index) => write({ keyring, alive, newMark, random, owner: `writer ${index}` })),
  )
}

async function write({
  keyring,
  alive,
  newMark,
  random,
  owner,
}: {
  keyring: Keyring<Scope>
  alive: string[]
  newMark: () => string
  random: Random
  owner: string
}): Promise<never> {
  let ownerDisabled = (await keyring.owner(owner))?.disabled ?? false
  const { keys } = await keyring.list({ owner, state: ownerDisabled ? 'owner_disabled' : 'active', limit: inherited })
  alive.push(...keys.map(({ id }) => id))
  // Only if no other writer changes a key, except by revoking it, does an acknowledgement prove the change.
  const own: Own[] = []
  let purse: readonly [secret: string, id: string] | undefined

  async function issue(mark: string): Promise<void> {
    const wanted = { name: `Key ${mark}`, owner, scopes: random.pick(grants) }
    const amount = purse === undefined ? { quota: { amount: quota } } : {}
    const { key, secret } = await keyring.issue({ ...wanted, ...amount, metadata: { mark }, actor: owner })
    tell({ is: 'done', mark, secret: [secret, key.id], issued: wanted })
    // Only this writer uses the purse: it is neither changed nor revoked.
    if (purse === undefined) purse = [secret, key.id]
    else {
      own.push({ id: key.id, disabled: false, rotating: false })
      alive.push(key.id)
    }
  }
  async function takeIn(mark: string): Promise<void> {
    const secret = `elsewhere ${mark}`
    const algorithm = random.pick(['sha256', 'sha512'] as const)
    const hash = createHash(algorithm).update(secret).digest('hex')
    const wanted = { name: `Key ${mark}`, owner, scopes: random.pick(grants) }
    const made = await keyring.importMany([{ ...wanted, hash, algorithm, bits: 128, metadata: { mark } }], {
      actor: owner,
    })
    const [key] = made.repeated ? [] : made.created
    if (key === undefined) throw new Error('A key was not taken in.')
    tell({ is: 'done', mark, secret: [secret, key.id], issued: wanted })
    own.push({ id: key.id, disabled: false, rotating: false })
    alive.push(key.id)
  }
  async function revoke(mark: string, id: string): Promise<void> {
    await keyring.revoke(id, { reason: 'requested', note: mark, actor: owner })
    // The mark may be another, quicker writer's: the acknowledgement only says that the key is revoked.
    tell({ is: 'done', mark, revoked: id })
    if (alive.includes(id)) alive.splice(alive.indexOf(id), 1)
  }
  async function changeOne(mark: string, one: Own): Promise<void> {
    const options = { note: mark, actor: owner }
    const verb = random.pick(['change', 'rotate', 'disable'] as const)
    if (verb === 'change') {
      const limits = [{ name: 'all', limit: 1 + random.below(1_000_000_000), window: 60 }]
      await keyring.change(one.id, { name: `Key ${mark}`, limits, scopes: random.pick(grants) }, options)
    } else if (verb === 'disable') {
      await (one.disabled ? keyring.enable(one.id, options) : keyring.disable(one.id, options))
      one.disabled = !one.disabled
    } else if (one.rotating) {
      await keyring.retire(one.id, options)
      one.rotating = false
    } else {
      const { secret } = await keyring.rotate(one.id, { ...options, grace })
      one.rotating = true
      tell({ is: 'done', mark, secret: [secret, one.id] })
      return
    }
    tell({ is: 'done', mark })
  }
  async function changeOwner(mark: string): Promise<void> {
    await keyring.changeOwner(owner, { disabled: !ownerDisabled }, { note: mark, actor: owner })
    ownerDisabled = !ownerDisabled
    tell({ is: 'done', mark })
  }
  async function spend([secret, id]: readonly [string, string]): Promise<void> {
    tell({ is: 'spending', id })
    const verdict = await keyring.verify(secret)
    if (verdict.ok) tell({ is: 'spent', id })
  }

  for (;;) {
    if (purse !== undefined && random.chance(0.1)) await spend(purse)
    const mark = newMark()
    const one = own.length === 0 ? undefined : random.pick(own)
    const prey = alive.length > 0 && random.chance(0.3) ? random.pick(alive) : undefined
    tell({ is: 'begun', mark, ...(prey === undefined ? {} : { revoking: prey }) })
    try {
      if (prey !== undefined) await revoke(mark, prey)
      else if (one !== undefined && random.chance(0.5)) await changeOne(mark, one)
      // Rarely, because a disabled owner spends nothing.
      else if (one !== undefined && random.chance(0.1)) await changeOwner(mark)
      else if (random.chance(0.2)) await takeIn(mark)
      else await issue(mark)
    } catch (error) {
      if (!(error instanceof LatchkeyError && error.code === 'conflict')) throw error
      tell({ is: 'refused', mark })
      if (one !== undefined) own.splice(own.indexOf(one), 1)
    }
    // Let the event loop turn: issuing waits only for promises that are already resolved, so writers that wait for a
    // timer would never go on.
    await turn()
  }
}

function tell(message: Message): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
