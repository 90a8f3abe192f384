import { LatchkeyError } from '../../error.ts'
import type { Spending, Store } from '../../ports.ts'
import * as sql from '../sql.ts'
import type { SqlValue } from '../sql.ts'
import { row } from '../work.ts'
import { latestSchema, mustBeCurrent } from './schema.ts'
import type { Sessions } from './sessions.ts'

/** Milliseconds for one batch: its callers wait for it. */
const longestBatch = 1000

/** A call that spends, until it is answered. */
interface Waiting {
  readonly cost: number
  readonly resolve: (remaining: number | undefined) => void
  readonly reject: (error: unknown) => void
}

/** What is left of a period of a key, if it has this quota. */
const left = `SELECT COALESCE(q.remaining, $3) AS remaining,
    (SELECT MAX(version) FROM latchkey_migrations) AS version FROM latchkey_keys k
    LEFT JOIN latchkey_quotas q ON q.place = k.place AND q.period = $2 WHERE k.id = $1 AND k.quota = $4`

/**
 * Spends from quotas. The calls of one key that come while a batch of it is under way are one batch, and one statement,
 * with the next: on one row, a statement for each would wait for the disk of all before it.
 */
export function spendingOf(sessions: Pick<Sessions, 'perform'>): Store['spend'] {
  const queues = new Map<string, Waiting[]>()

  async function serve(name: string, id: string, spending: Spending): Promise<void> {
    for (let batch = taken(name); batch.length > 0; batch = taken(name)) {
      const calls = batch
      try {
        const answers = await dealt(sessions, { id, spending }, calls)
        for (const [index, { resolve }] of calls.entries()) resolve(answers[index])
      } catch (error) {
        // Units may be gone that nobody got, but none was given twice.
        for (const { reject } of calls) reject(error)
      }
    }
    queues.delete(name)
  }

  function taken(name: string): readonly Waiting[] {
    return queues.get(name)?.splice(0) ?? []
  }

  return async (id, spending) => {
    // Only calls that know the same quota and period can be one.
    const name = JSON.stringify([id, spending.quota, spending.period])
    return new Promise((resolve, reject) => {
      const waiting = { cost: spending.cost, resolve, reject }
      const queue = queues.get(name)
      if (queue !== undefined) queue.push(waiting)
      else {
        queues.set(name, [waiting])
        void serve(name, id, spending)
      }
    })
  }
}

/** How often a batch is dealt out anew because others were quicker. */
const mostRounds = 100

/**
 * Takes what the calls cost, if so much is left; otherwise what those cost that find enough left, in their order. Answers
 * what was left after each, and `undefined` for those that got nothing. Each statement is a transaction of its own, so
 * that the row is held by nobody across the network.
 */
async function dealt(
  sessions: Pick<Sessions, 'perform'>,
  { id, spending: { quota, period } }: { readonly id: string; readonly spending: Spending },
  calls: readonly Pick<Waiting, 'cost'>[],
): Promise<readonly (number | undefined)[]> {
  const text = JSON.stringify(quota)
  const ask = async <Row>(statement: string, values: readonly SqlValue[]): Promise<Row | undefined> =>
    sessions.perform(longestBatch, () => row<Row>(statement, values))
  let admitted: readonly boolean[] = calls.map(() => true)
  for (let round = 0; round < mostRounds; round++) {
    const cost = calls.reduce((sum, call, index) => sum + (admitted[index] === true ? call.cost : 0), 0)
    const values = [id, cost, period, quota.amount, text, latestSchema]
    const spent = await ask<{ remaining: number }>(sql.spend, values)
    if (spent !== undefined) {
      // The first of a period: as good a time as any to forget old ones. Otherwise it is done with the next one.
      if (spent.remaining === quota.amount - cost) await ask(sql.dropPeriods, [id, period]).catch(() => {})
      let rest = spent.remaining + cost
      return calls.map((call, index) => (admitted[index] === true ? (rest -= call.cost) : undefined))
    }
    const found = await ask<{ remaining: number; version: number }>(left, [id, period, quota.amount, text])
    if (found === undefined) return calls.map(() => undefined)
    mustBeCurrent(found.version)
    let rest = found.remaining
    admitted = calls.map((call) => {
      if (call.cost > rest) return false
      rest -= call.cost
      return true
    })
    if (!admitted.includes(true)) return calls.map(() => undefined)
  }
  throw new LatchkeyError('unavailable', 'Too many calls spend from this quota at once. Try again.')
}
