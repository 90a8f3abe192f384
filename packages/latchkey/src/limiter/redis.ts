/**
 * @module A limiter on Redis or Valkey, for the instances of an application that share their limits.
 */

import { randomUUID } from 'node:crypto'
import { LatchkeyError } from '../error.ts'
import { invalid, membersOf, objectOf } from '../options.ts'
import type {
  Awaitable,
  IoRedis,
  Limiter,
  LimiterAnswer,
  LimiterState,
  NodeRedis,
  Window,
  WindowState,
} from '../ports.ts'
import { systemTimer } from '../within.ts'
import { naming } from './redis/keys.ts'
import type { Link } from './redis/link.ts'
import { openLink } from './redis/link.ts'
import { decision, givingBack, presence } from './redis/scripts.ts'
import { shareOf } from './redis/share.ts'

/** The options of `redisLimiter`. */
export interface RedisLimiterOptions {
  /** A client of `@redis/client` (`createClient`), `redis` or `ioredis`: it says where Redis is, and is not used itself. */
  readonly client: NodeRedis | IoRedis
  /** What all keys in Redis begin with: 1 to 32 letters, digits, `-` and `_`. Applications on one Redis need their own. */
  readonly prefix?: string
  /** The least number of instances by which a limit is divided while Redis cannot be asked; at most 100,000. */
  readonly instances?: number
  /** Called when Redis can no longer be asked, and when it can be again. */
  readonly onChange?: (state: LimiterState) => void
}

/** A limiter that instances share. */
export interface RedisLimiter extends Limiter {
  /** How it is doing. */
  readonly state: () => LimiterState
}

const members = membersOf<RedisLimiterOptions>({ client: true, prefix: true, instances: true, onChange: true })

/** Milliseconds between two times that an instance says that it is there. */
const interval = 1000

/** Milliseconds after which an instance that has said nothing is no longer counted. */
const remembered = 11_000

/**
 * Counts in Redis or Valkey, for all instances, with the same windows as `memoryLimiter`: no interval of a window's length
 * admits more than its limit, by the clock of Redis.
 *
 * It opens connections of its own, like those of the client. When Redis is gone, or says nothing for 90 ms (longer if
 * it has been slow of late), calls are
 * answered at once by this process alone: within its share of a limit, or refused as `unavailable`, as `whenUnavailable`
 * of the limit says. It returns to Redis by itself. Instances count each other in Redis; until they have done so once, and
 * without `instances`, calls are refused while Redis cannot be asked.
 *
 * @returns a promise of the limiter, also where Redis cannot be reached.
 * @throws LatchkeyError `invalid_input` for an option that is not as it must be.
 *
 * @example
 * const client = createClient({ url: 'redis://127.0.0.1:6379' })
 * const limiter = await redisLimiter({ client })
 * const shared = await openKeyring({ store, limiter })
 * await shared.close()
 */
export async function redisLimiter(options: RedisLimiterOptions): Promise<RedisLimiter> {
  objectOf('The options of redisLimiter', options, members)
  const { client, prefix = 'latchkey', instances: least, onChange } = options
  if (typeof client?.duplicate !== 'function') throw invalid('client', 'a client of @redis/client, redis or ioredis')
  if (!/^[\w-]{1,32}$/.test(prefix)) throw invalid('prefix', '1 to 32 letters, digits, - and _')
  if (least !== undefined && !(Number.isSafeInteger(least) && least >= 1 && least <= 100_000)) {
    throw invalid('instances', 'a whole number from 1 to 100000')
  }

  const name = randomUUID()
  const named = naming(prefix)
  /** How many instances there are, and since when it could have been seen if there were fewer. */
  let seen: { readonly count: number; readonly since: number } | undefined
  let outages = 0
  let isClosed = false
  let stopSaying: (() => void) | undefined

  const instances = (): number | undefined => (seen === undefined ? least : Math.max(seen.count, least ?? 1))
  const share = shareOf(instances)

  /** Says that this instance is there, and notes how many are. */
  async function sayPresent(run: Link['run']): Promise<void> {
    const count = await run(presence, [`${prefix}:instances`], [name, '1'])
    if (typeof count !== 'number') throw unexpected()
    const now = performance.now()
    if (seen === undefined || count >= seen.count || now - seen.since > remembered) seen = { count, since: now }
  }

  /** A Redis that was started anew knows few of them at first. */
  async function greet(run: Link['run']): Promise<void> {
    if (seen !== undefined) seen = { ...seen, since: performance.now() }
    await sayPresent(run)
  }

  const link = await openLink({
    client,
    greet,
    changed() {
      if (isClosed) return
      if (!link.isUp) outages++
      onChange?.(state())
    },
  })

  function state(): LimiterState {
    return {
      by: link.isUp ? 'shared' : 'share',
      reason: link.reason,
      instances: instances(),
      answeredAlone: { ...share.answered },
      outages,
    }
  }

  async function repeat(): Promise<void> {
    // The link reports what fails. While it is down nothing is said.
    if (link.isUp) await sayPresent(link.run).catch(() => {})
    if (!isClosed) sayLater()
  }
  function sayLater(): void {
    stopSaying = systemTimer(interval, () => void repeat(), 'background')
  }
  sayLater()

  function decide(how: 'take' | 'peek', windows: readonly Window[], cost: number): Awaitable<LimiterAnswer> {
    refuseIfClosed()
    if (!link.isUp) return share[how](windows, cost)
    const { keys, args } = named(windows)
    return link.run(decision, keys, [how === 'take' ? '1' : '0', String(cost), ...args]).then(
      (reply) => answerOf(reply, windows.length),
      () => {
        refuseIfClosed()
        return share[how](windows, cost)
      },
    )
  }

  function refuseIfClosed(): void {
    if (isClosed) throw new LatchkeyError('unavailable', 'The limiter is closed.')
  }

  return {
    take: (windows, cost) => decide('take', windows, cost),
    peek: (windows, cost) => decide('peek', windows, cost),
    async giveBack(windows, cost, answer) {
      refuseIfClosed()
      if (!answer.admitted) return
      if (answer.by === 'share') return share.giveBack(windows, cost, answer)
      const { keys, lengths } = named(windows)
      // A report-only window without room has not counted the call.
      const counted = keys.map((_, index) => index).filter((index) => answer.states[index]?.waitMs === 0)
      const at = String(Math.round(answer.at * 1000))
      const of = (list: readonly string[]): readonly string[] => counted.map((index) => list[index] ?? '')
      if (counted.length > 0) await link.run(givingBack, of(keys), [at, String(cost), ...of(lengths)])
    },
    state,
    async close() {
      isClosed = true
      stopSaying?.()
      // So that the others do not count it any more. Nobody waits for a Redis that is silent.
      if (link.isUp) await link.run(presence, [`${prefix}:instances`], [name, '0']).catch(() => {})
      link.close()
      await share.close()
    },
  }
}

/** Milliseconds from the microseconds of Redis. */
function answerOf(reply: unknown, count: number): LimiterAnswer {
  if (!Array.isArray(reply) || reply.length !== 2 + 3 * count) throw unexpected()
  const numbers = reply as readonly unknown[]
  if (!numbers.every((number) => typeof number === 'number')) throw unexpected()
  const states: WindowState[] = []
  for (let place = 2; place < numbers.length; place += 3) {
    const [remaining = 0, reset = 0, wait = 0] = numbers.slice(place, place + 3)
    states.push({ remaining, resetMs: reset / 1000, waitMs: wait < 0 ? Infinity : wait / 1000 })
  }
  return { admitted: numbers[0] === 1, states, at: (numbers[1] ?? 0) / 1000, by: 'shared' }
}

function unexpected(): LatchkeyError {
  return new LatchkeyError('unavailable', 'Redis has answered something else than was asked for.')
}
