// Started by refusals.ts: a keyring in a process of its own. Each line of stdin is a flood of calls that are refused, with
// calls of other keys in between, and its outcome is a line on stdout.

import { createInterface } from 'node:readline'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KeptRefusals, OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { base62, withChecksum } from './forgery.ts'
import { watchLoop } from './loop-watch.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'

/** The scopes of the keyring. */
export const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }

/** What the route of all calls asks for; no key of the proof has it. */
const requirement = Object.freeze({ allOf: Object.freeze(['orders:write'] as const) })

/** A flood of calls, and the other calls among them. */
export interface Flood {
  /** The beginning of the ids of its requests. */
  readonly name: string
  readonly calls: number
  /** The secret of the calls; without one, each call has a made-up credential. */
  readonly secret: string | undefined
  /** The secrets of other keys, and how often each is used. */
  readonly others: readonly string[]
  readonly each: number
  readonly seed: number
}

/** The outcome of a flood. */
export interface Flooded {
  /** Calls of the flood that were refused. */
  readonly refused: number
  /** The ids of the requests of the other keys, a list for each. */
  readonly noted: readonly (readonly string[])[]
  /** The longest that the thread has worked without a turn, in milliseconds of its processor. */
  readonly longestTurn: number
}

/** Calls between two turns of the event loop, as a busy server has them. */
const callsInOneTurn = 100

/** Calls between two writes that do not wait for the timer: more than wait in memory at most. */
const callsBetweenWrites = 25_000

/** Different routes and addresses of a flood. */
const routes = 50

if (import.meta.main) {
  const [file = '', kept = '{}'] = process.argv.slice(2)
  const refusals = JSON.parse(kept) as KeptRefusals
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes, refusals })
  console.log('open')
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(keyring, JSON.parse(line) as Flood)))
  }
  await keyring.close()
}

async function run(keyring: OpenKeyring<keyof typeof scopes>, flood: Flood): Promise<Flooded> {
  const { name, calls, secret, others, each, seed } = flood
  const random = seeded(seed)
  const noted: string[][] = others.map(() => [])
  const apart = Math.floor(calls / (others.length * each))
  let refused = 0
  const watch = watchLoop()

  async function refuse(credential: string, call: { readonly requestId: string; readonly place: number }) {
    const verdict = await keyring.verify(credential, requirement)
    if (verdict.ok) throw new Error('A call that must be refused was accepted.')
    const { requestId, place } = call
    const address = `10.${(place >> 16) & 255}.${(place >> 8) & 255}.${place & 255}`
    const route = `GET /orders/${place % routes}`
    keyring.noteRefusal?.(verdict, { requestId, route, address, requirement })
  }

  for (let call = 0; call < calls; call++) {
    await refuse(secret ?? madeUp(random), { requestId: `${name}-flood-${call}`, place: call })
    refused++
    const other = Math.floor(call / apart)
    if (call % apart === 0 && other < others.length * each) {
      const requestId = `${name}-other-${other}`
      await refuse(others[other % others.length] ?? '', { requestId, place: other })
      noted[other % others.length]?.push(requestId)
    }
    if (call % callsInOneTurn === 0) await nextTurn()
    // Not at the very end: what is left then is written when the keyring is closed.
    if (call % callsBetweenWrites === callsBetweenWrites >> 1) await keyring.flushUsage()
  }
  watch.end()
  return { refused, noted, longestTurn: watch.take().gapByProcessor }
}

/** A credential of no key: of the right form, mistyped, or anything. */
function madeUp(random: Random): string {
  const text = `lk_live_${random.text(32, base62)}`
  return random.pick([withChecksum(text), `${text}000000`, random.text(12, base62)])
}
