import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../test/free-port.ts'
import type { RedisServer } from '../../test/redis-server.ts'
import { startRedis } from '../../test/redis-server.ts'
import { startChild } from './child.ts'
import type { Told } from './outage-caller.ts'
import { windows } from './outage-caller.ts'
import { faults } from './outage-faults.ts'
import { defineProof } from './proof.ts'
import { inScratchFolder } from './scratch-folder.ts'

const instances = 3

/** Milliseconds of an outage, and until everything must be as before. */
const times = { away: 1500, back: 2000 }

/** What breaks, and how it is mended. */
interface Breakable {
  readonly url: string
  readonly fail: () => Promise<void>
  readonly mend: () => Promise<void>
  readonly end: () => Promise<void>
}

export const proof = defineProof({
  promise:
    'Without its Redis an instance answers at once, within its share or not at all, and goes back to it by itself',
  takes: 'a minute and a half for each mode',
  sizes: { n: 20 },
  choices: { what: ['redis'], mode: ['freeze', 'stop', 'cut'] },
  faults,
  faultSizes: { n: 2 },

  async prove({ sizes: { n: rounds }, chosen: { mode = '' }, progress }) {
    return inScratchFolder('outage', async (folder) => {
      const redis = await breakable(mode)
      const told: Told[] = []
      const changes = Array.from({ length: instances }, () => [] as { at: number; by: string }[])
      const children = changes.map((list) =>
        startChild({
          file: new URL('outage-caller.ts', import.meta.url),
          args: [redis.url],
          folder,
          onLine(line) {
            const said = JSON.parse(line) as Told | { readonly at: number; readonly by: string }
            if ('by' in said) list.push(said)
            else told.push(said)
          },
        }),
      )
      const all = (by: string): boolean => changes.every((list) => list.at(-1)?.by === by)
      const until = async (by: string, longest: number): Promise<boolean> => {
        const end = now() + longest
        while (!all(by) && now() < end) await sleep(2)
        return all(by)
      }
      /** The calls that were sent in the first part of an outage, and those of its middle, in which nothing is in doubt. */
      const outages: { readonly from: number; readonly known: number; readonly to: number }[] = []
      const backs: number[] = []
      let notBack = 0
      try {
        if (!(await until('shared', 30_000))) throw new Error(children.map(({ complaints }) => complaints()).join('\n'))
        // Until each has counted those that started after it.
        await sleep(2500)
        for (let round = 0; round < rounds && notBack === 0; round++) {
          await sleep(300 + Math.random() * 200)
          const from = now()
          await redis.fail()
          await until('share', 3000)
          const known = now()
          await sleep(times.away)
          const to = now()
          await redis.mend()
          if (await until('shared', 10_000)) backs.push(now() - to)
          else notBack++
          outages.push({ from, known, to })
          progress(
            `round ${round + 1} of ${rounds}: given up after ${ms(known - from)}, back after ${ms(backs.at(-1))}`,
          )
        }
      } finally {
        for (const child of children) child.kill('SIGTERM')
        const ended = Promise.all(children.map((child) => child.ended))
        await Promise.race([ended, sleep(3000)])
        for (const child of children) child.kill('SIGKILL')
        await ended
        await redis.end()
      }
      const length = windows.share.window * 1000
      const within = outages.map((outage) => told.filter(([, sent]) => sent >= outage.from && sent < outage.to))
      const meanwhile = outages.map(({ known, to }, index) =>
        (within[index] ?? []).filter(([, sent, answered]) => sent >= known && answered < to),
      )
      const slowest = within.map((calls) => Math.max(...calls.map(([, sent, answered]) => answered - sent)))
      const admitted = told.filter(([limit, , , is]) => limit === 'share' && is === true)
      const inShares = meanwhile.map((calls) => calls.filter(([limit, , , is]) => limit === 'share' && is === true))
      return {
        figures: {
          medianSlowestMs: round(median(slowest)),
          slowestMs: round(Math.max(...slowest)),
          medianBackMs: round(median(backs)),
          slowestBackMs: round(Math.max(...backs)),
          callsMeanwhile: meanwhile.flat().length,
          admittedMeanwhile: inShares.flat().length,
          aboveMeanwhile: inShares.reduce(
            (sum, calls) => sum + above(calls, { limit: windows.share.limit, length }),
            0,
          ),
          aboveTwice: above(admitted, { limit: 2 * windows.share.limit, length }),
          admittedInsteadOfRefused: meanwhile.flat().filter(([limit, , , is]) => limit === 'refuse' && is === true)
            .length,
          failedInsteadOfShared: told.filter(([limit, , , is]) => limit === 'share' && is === null).length,
          unanswered: outages.filter(({ known, from }) => known - from >= 3000).length,
          notBack,
          openedWithoutReason: changes.reduce(
            (sum, list) => sum + Math.max(0, list.filter(({ by }) => by === 'share').length - outages.length),
            0,
          ),
        },
        required: {
          medianSlowestMs: { below: 100 },
          slowestBackMs: { below: times.back },
          aboveMeanwhile: { is: 0 },
          aboveTwice: { is: 0 },
          admittedInsteadOfRefused: { is: 0 },
          failedInsteadOfShared: { is: 0 },
          unanswered: { is: 0 },
          notBack: { is: 0 },
          openedWithoutReason: { is: 0 },
          admittedMeanwhile: { atLeast: rounds * 50 },
        },
      }
    })
  },
})

async function breakable(mode: string): Promise<Breakable> {
  let redis: RedisServer = await startRedis()
  const end = async (): Promise<void> => redis.kill()
  const { url } = redis
  if (mode === 'freeze') {
    return { url, end, fail: async () => redis.signal('SIGSTOP'), mend: async () => redis.signal('SIGCONT') }
  }
  if (mode === 'stop') {
    return {
      url,
      end,
      fail: async () => redis.kill(),
      async mend() {
        redis = await startRedis({ port: redis.port })
      },
    }
  }
  const cable = await cableTo(redis.port)
  return {
    ...cable,
    async end() {
      await cable.fail()
      await end()
    },
  }
}

/** A way to a port that can be cut: connections are reset, and new ones too. */
async function cableTo(port: number): Promise<Pick<Breakable, 'url' | 'fail' | 'mend'>> {
  let isCut = false
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (isCut) {
      near.resetAndDestroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.once('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.unref()
  const own = await freePort()
  server.listen(own, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${own}`,
    async fail() {
      isCut = true
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async mend() {
      isCut = false
    },
  }
}

/** Of a clock that all processes of a machine have in common, in milliseconds. */
function now(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}

/** The intervals that certainly had more than the limit in them. */
function above(calls: readonly Told[], { limit, length }: { readonly limit: number; readonly length: number }): number {
  const sorted = calls.toSorted(([, , one], [, , other]) => one - other)
  return sorted.filter(([, , answered], index) => {
    const inside = sorted.slice(Math.max(0, index - limit), index + 1)
    return inside.length > limit && inside.every(([, sent]) => sent > answered - length)
  }).length
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}

const round = (value: number): number => Math.round(value * 10) / 10
const ms = (value = Number.NaN): string => `${Math.round(value)} ms`
