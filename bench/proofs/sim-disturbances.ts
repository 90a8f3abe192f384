import type { Random } from './random.ts'
import type { SimulatedDatabase } from './sim-database.ts'
import type { SimulatedProcess } from './sim-process.ts'
import type { VirtualTime } from './sim-time.ts'

/** What disturbs a run. */
export interface Mix {
  readonly name: string
  /** Whether messages about commits come at all. */
  readonly messages: boolean
  /** Milliseconds of commits that a failover loses at most, and for which no server answers; 0 for no failover. */
  readonly loses: number
  readonly downFor: number
}

/** The mixes, in turn by the number of the run. */
export const mixes: readonly [Mix, ...Mix[]] = [
  { name: 'messages', messages: true, loses: 0, downFor: 0 },
  { name: 'messages and failovers', messages: true, loses: 120, downFor: 400 },
  { name: 'messages and failovers that lose much', messages: true, loses: 700, downFor: 60 },
  { name: 'no messages', messages: false, loses: 0, downFor: 0 },
  { name: 'no messages, and failovers', messages: false, loses: 700, downFor: 60 },
]

/** What is disturbed. */
interface Disturbed {
  readonly time: VirtualTime
  readonly random: Random
  readonly database: SimulatedDatabase
  readonly mix: Mix
  readonly processes: readonly SimulatedProcess[]
  readonly until: number
  /** Starts another instance. */
  readonly join: () => void
}

const usual = ['pause', 'silence', 'cut', 'slow', 'kill', 'join', 'wall clock'] as const

/** Every now and then something goes wrong, with one of the processes, its link or the server. */
export function disturb({ time, random, database, mix, processes, until, join }: Disturbed): void {
  const between = (least: number, most: number): number => least + (most - least) * random.next()
  const later = (milliseconds: number, call: () => void): void => void time.at(time.now() + milliseconds, call)
  const kinds = mix.loses > 0 ? ([...usual, 'failover'] as const) : usual

  function breakLink(process: SimulatedProcess, link: 'silent' | 'cut'): void {
    process.link = link
    later(between(50, 2500), () => {
      process.link = 'up'
    })
  }

  const kindly = (process: SimulatedProcess): Readonly<Record<(typeof kinds)[number] | 'failover', () => void>> => ({
    pause() {
      process.pausedUntil = time.now() + between(50, 2500)
    },
    silence: () => breakLink(process, 'silent'),
    cut: () => breakLink(process, 'cut'),
    slow() {
      process.slowness = between(5, 250)
      later(between(200, 2500), () => {
        process.slowness = 1
      })
    },
    kill() {
      const alive = processes.filter(({ isDead }) => !isDead)
      if (alive.length > 4 && !process.name.startsWith('changer')) process.isDead = true
    },
    join,
    'wall clock'() {
      process.wallError += between(-3000, 3000)
    },
    failover: () => database.failover(between(0, mix.loses), between(1, mix.downFor)),
  })

  const goWrong = (): void => {
    if (time.now() > until) return
    kindly(random.pick(processes))[random.pick(kinds)]()
    later(between(100, 900), goWrong)
  }
  later(between(200, 800), goWrong)
}
