import { LatchkeyError } from '../../error.ts'
import { systemTimer, within } from '../../within.ts'
import type { IoRedis, NodeRedis } from '../../ports.ts'
import type { Connection } from './client.ts'
import { connectionLike, reasonOf, replyCode } from './client.ts'
import type { Script } from './scripts.ts'
import { scripts } from './scripts.ts'
import { watchSilence } from './silence.ts'

/** Milliseconds after which a Redis that says nothing is given up, and after which a new connection is. */
const patience = { silence: 90, connecting: 1000 }

/** Milliseconds that a connection must last, so that another one is made at once after it. */
const lasting = 1000

/** Milliseconds between two tries to connect: more from one to the next. */
const pauses = { least: 25, most: 500 }

/** Errors that are about one command and say nothing about the next one. */
const ofOneCommand: ReadonlySet<string> = new Set(['ERR', 'NOSCRIPT', 'WRONGTYPE'])

/** A link to Redis, which is given up when it falls silent, and restored by itself. */
export interface Link {
  readonly isUp: boolean
  /** Why it is not up. */
  readonly reason: string | undefined
  /**
   * Runs a script: the keys, and then the arguments. Rejects when the link is given up before the answer; Redis may run it
   * all the same. Call it only while the link is up.
   */
  readonly run: (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>
  readonly close: () => void
}

/** A command that is not answered yet. */
interface Unanswered {
  readonly since: number
  readonly giveUp: (error: Error) => void
}

/**
 * Links to Redis. Resolves when it is up or when the first try has failed.
 *
 * @param greet - what is run on every new connection before anything else; it must write.
 * @param changed - called when the link goes down, and when it is up again.
 */
export async function openLink({
  client,
  greet,
  changed,
}: {
  readonly client: NodeRedis | IoRedis
  readonly greet: (run: Link['run']) => Promise<void>
  readonly changed: () => void
}): Promise<Link> {
  let connection: Connection | undefined
  let reason: string | undefined = 'It has not connected yet.'
  let isClosed = false
  let stopPause: (() => void) | undefined
  let upSince = Number.NEGATIVE_INFINITY
  /** Milliseconds to wait before the next try. */
  let pause = 0
  // On one connection answers come in the order of the commands, so the first is the oldest.
  const unanswered = new Set<Unanswered>()
  const watch = watchSilence({
    least: patience.silence,
    oldest: () => unanswered.values().next().value?.since,
    silent: () => lose(connection, 'Redis does not answer.'),
  })
  const untilConnected = within(patience.connecting, { what: 'Redis has not answered', after: systemTimer })

  /** Gives up a connection, if it is the present one, and tries to make another. */
  function lose(lost: Connection | undefined, why: string): void {
    if (lost === undefined || lost !== connection) return
    connection = undefined
    reason = why
    watch.end()
    lost.close()
    const error = new LatchkeyError('unavailable', why)
    for (const { giveUp } of unanswered) giveUp(error)
    unanswered.clear()
    changed()
    // One that works only until it is used, such as one to a node of a cluster, would be lost again and again.
    if (performance.now() - upSince >= lasting) pause = 0
    restore()
  }

  function restore(): void {
    if (isClosed) return
    // Not all instances at the same time.
    stopPause = systemTimer(pause * (0.5 + Math.random()), () => void tryAgain(), 'background')
    pause = Math.min(Math.max(pause * 2, pauses.least), pauses.most)
  }

  async function tryAgain(): Promise<void> {
    if (isClosed) return
    if (await connect()) changed()
    else restore()
  }

  async function connect(): Promise<boolean> {
    const fresh = connectionLike(client, (error) => lose(fresh, reasonOf(error)))
    try {
      await untilConnected(prepare(fresh))
    } catch (error) {
      fresh.close()
      reason = reasonOf(error)
      return false
    }
    if (isClosed) fresh.close()
    else {
      connection = fresh
      reason = undefined
      upSince = performance.now()
    }
    return true
  }

  async function prepare(fresh: Connection): Promise<void> {
    await fresh.open()
    for (const { text } of scripts) await fresh.send(['SCRIPT', 'LOAD', text])
    await greet(running((command) => fresh.send(command)))
  }

  /** Sends a command, and watches that it is answered. */
  async function send(on: Connection, command: readonly [string, ...string[]]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call: Unanswered = { since: performance.now(), giveUp: reject }
      unanswered.add(call)
      watch.owed()
      const answered = (): void => {
        if (unanswered.delete(call)) watch.heard()
      }
      const failed = (error: unknown): void => {
        if (!ofOneCommand.has(replyCode(error) ?? '')) lose(on, reasonOf(error))
        reject(error)
      }
      on.send(command).finally(answered).then(resolve, failed)
    })
  }

  if (!(await connect())) restore()
  return {
    get isUp() {
      return connection !== undefined
    },
    get reason() {
      return reason
    },
    run: running((command) => {
      if (connection === undefined) throw new LatchkeyError('unavailable', reason ?? 'The limiter is closed.')
      return send(connection, command)
    }),
    close() {
      isClosed = true
      stopPause?.()
      lose(connection, 'The limiter is closed.')
    },
  }
}

/** Runs scripts by their names, and by their texts where Redis was started anew or has dropped them: that is no outage. */
function running(send: Connection['send']): Link['run'] {
  return async (script, keys, args) => {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await send(['EVALSHA', script.sha, ...rest])
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error
      return send(['EVAL', script.text, ...rest])
    }
  }
}
