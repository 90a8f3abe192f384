// Started by authority.ts: a keyring of its own, used with an admin key. Each line of stdin is a round: many changes
// are begun on behalf of one admin key, and the outcome is a line on stdout.

import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Keyring } from 'latchkey'
import { LatchkeyError, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Random } from './random.ts'
import { seeded } from './random.ts'

/** The scopes of the keyring. */
export const scopes = { 'orders:read': 'Read orders' }

/** The number of changes on behalf of this admin key, and the milliseconds within which they begin. */
export interface Round {
  readonly admin: string
  readonly changes: number
  readonly spread: number
  readonly seed: number
  /** Ids of keys to change, all of this owner. */
  readonly keys: readonly string[]
  readonly owner: string
  /** The end of the admin key, and so of everything that it may give. */
  readonly expiresAt: number | null
}

/** The outcome of the changes of a round. */
export interface Report {
  /** Refused because the admin key may no longer do it, or no longer sees the key. */
  readonly refused: number
  /** Refused because another process changed the same key first. */
  readonly conflicts: number
  /** Other errors. */
  readonly failures: readonly string[]
}

/** Errors of an admin key that may do nothing any more. */
const refusing: ReadonlySet<string> = new Set(['beyond_delegation', 'unknown_key', 'unknown_owner'])

if (import.meta.main) {
  const [file = ''] = process.argv.slice(2)
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  console.log('open')
  for await (const line of createInterface({ input: process.stdin })) {
    const round = JSON.parse(line) as Round
    console.log(JSON.stringify(await play(keyring.as(round.admin), round)))
  }
  await keyring.close()
}

async function play(keyring: Keyring<keyof typeof scopes>, round: Round): Promise<Report> {
  const random = seeded(round.seed)
  const outcomes = await Promise.allSettled(
    Array.from({ length: round.changes }, async (_, index) => {
      const change = choose(keyring, random, round, index)
      await sleep(random.below(round.spread))
      return change()
    }),
  )
  const reasons = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as unknown)
  const codes = reasons.map((reason) => {
    const code = reason instanceof LatchkeyError ? reason.code : undefined
    // A new key must end with its admin key, which expired between two readings of the clock.
    return code === 'invalid_input' && round.expiresAt !== null ? 'beyond_delegation' : code
  })
  const refused = codes.filter((code) => code !== undefined && refusing.has(code)).length
  const conflicts = codes.filter((code) => code === 'conflict').length
  const isOther = (code: string | undefined): boolean => code !== 'conflict' && !refusing.has(code ?? '')
  return { refused, conflicts, failures: reasons.filter((_, index) => isOther(codes[index])).map(String) }
}

/** A change of any kind. */
function choose(
  keyring: Keyring<keyof typeof scopes>,
  random: Random,
  { keys, owner, expiresAt }: Round,
  index: number,
): () => Promise<unknown> {
  const id = random.pick(keys)
  const wanted = { name: `Key ${index}`, owner, scopes: ['orders:read'], expiresAt } as const
  const hash = createHash('sha256').update(`${id} ${random.next()}`).digest('hex')
  return random.pick<() => Promise<unknown>>([
    () => keyring.issue(wanted),
    () => keyring.issueMany([wanted, wanted, wanted]),
    () => keyring.importMany([{ ...wanted, hash, algorithm: 'sha256', bits: 128 }]),
    () => keyring.change(id, { name: `Changed ${index}` }),
    () => keyring.rotate(id, { grace: random.pick([0, 3600]) }),
    () => keyring.retire(id),
    () => keyring.disable(id),
    () => keyring.enable(id),
    () => keyring.revoke(id, { reason: 'other' }),
    () => keyring.changeOwner(owner, { limits: [{ name: 'all', limit: 1 + index, window: 60 }] }),
  ])
}
