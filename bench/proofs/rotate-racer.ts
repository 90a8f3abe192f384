// Started by rotate-race.ts: some keyrings of their own on one file. Each line of stdin is a race; all its rotations of
// one key begin at the stated moment or soon after, and the outcome is a line on stdout.

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { LatchkeyError, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'

/** A race: so many rotations of a key with this grace, in seconds, begun from this moment on, spread over so many ms. */
export interface Race {
  readonly id: string
  readonly rotations: number
  readonly grace: number
  readonly at: number
  readonly spread: number
}

/** The outcome of the rotations of one racer. */
export interface Result {
  readonly successors: readonly { readonly secret: string; readonly oldEndsAt: number }[]
  readonly conflicts: number
  /** The errors of the others. */
  readonly failures: readonly string[]
}

/** Keyrings in one process, each with a connection of its own to the file. */
const handles = 2

if (import.meta.main) {
  const [file = ''] = process.argv.slice(2)
  const keyrings = await Promise.all(
    Array.from({ length: handles }, () => openKeyring({ store: sqliteStore({ file }), scopes: {} })),
  )
  console.log('open')
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(JSON.parse(line) as Race)))
  }
  for (const keyring of keyrings) await keyring.close()

  async function run({ id, rotations, grace, at, spread }: Race): Promise<Result> {
    // By the clock and not by a timer: a timer of one process is not a timer of another.
    while (Date.now() < at);
    const outcomes = await Promise.allSettled(
      Array.from({ length: rotations }, async (_, index) => {
        if (spread > 0) await sleep((spread * index) / rotations)
        return keyrings[index % handles]?.rotate(id, { grace })
      }),
    )
    const successors = outcomes
      .map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined))
      .filter((rotated) => rotated !== undefined)
      .map(({ secret, oldEndsAt }) => ({ secret, oldEndsAt }))
    const reasons = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as unknown)
    const failures = reasons.filter((reason) => !(reason instanceof LatchkeyError && reason.code === 'conflict'))
    return { successors, conflicts: reasons.length - failures.length, failures: failures.map(String) }
  }
}
