import type { Clock } from 'latchkey/ports'
import type { Random } from './random.ts'
import type { SimulatedDatabase } from './sim-database.ts'
import type { VirtualTime } from './sim-time.ts'

/** What can be wrong with a link to the database: nothing, silence, or an error at once. */
export type LinkState = 'up' | 'silent' | 'cut'

/** A process with clocks of its own, and a link to the database. */
export interface SimulatedProcess {
  readonly name: string
  /** Its clocks and timers. They stand still for it while it is paused, but time goes on. */
  readonly clock: Clock & Required<Pick<Clock, 'after'>>
  link: LinkState
  /** How many times as slow as usual the link is. */
  slowness: number
  /** Until when it does nothing; what it should do is done then. */
  pausedUntil: number
  /** Milliseconds by which its wall clock is wrong. */
  wallError: number
  isDead: boolean
  /** Milliseconds that a message takes now. */
  delay(): number
  /** Does something as this process: later while it is paused, and not at all once it is dead. */
  do(action: () => void): void
  /** Does something as this process at a time. */
  at(time: number, action: () => void): () => void
  /** Runs a statement on the database. Rejects if it is not answered in time; it may be done all the same. */
  ask<Answer>(statement: (database: SimulatedDatabase) => Answer): Promise<Answer>
}

/** Milliseconds after which a statement is given up. */
const deadline = 400

/** A Monday in 2030. */
const start = Date.UTC(2030, 0, 7)

/** Starts a process whose monotonic clock is wrong by up to 0.95 %: two differ by less than the 2 % that are allowed. */
export function simulatedProcess(
  name: string,
  {
    time,
    random,
    database,
  }: { readonly time: VirtualTime; readonly random: Random; readonly database: SimulatedDatabase },
): SimulatedProcess {
  // Often as wrong as it may be.
  const error = 0.0095 * (random.chance(0.5) ? Math.sign(random.next() - 0.5) : 2 * random.next() - 1)
  const rate = 1 + error
  const self: SimulatedProcess = {
    name,
    link: 'up',
    slowness: 1,
    pausedUntil: -1,
    wallError: 0,
    isDead: false,
    clock: {
      now: () => Math.floor(start + time.now() + self.wallError),
      monotonic: () => time.now() * rate,
      after: (milliseconds, call) => self.at(time.now() + milliseconds / rate, call),
    },
    delay: () => self.slowness * (random.chance(0.05) ? 1 + 59 * random.next() : 0.1 + 1.4 * random.next()),
    do(action) {
      if (self.isDead) return
      if (time.now() < self.pausedUntil) time.at(self.pausedUntil + random.next() * 0.01, () => self.do(action))
      else action()
    },
    at: (at, action) => time.at(at, () => self.do(action)),
    async ask(statement) {
      return new Promise((resolve, reject) => {
        const failed = (): void => reject(new Error('The database has not answered.'))
        const give = self.at(time.now() + deadline, failed)
        if (self.link === 'cut') {
          self.at(time.now() + 1, failed)
          return
        }
        const connection = database.connection()
        time.at(time.now() + self.delay(), () => {
          if (self.link !== 'up' || !database.accepts(connection)) return
          const answer = attempt(() => statement(database))
          time.at(time.now() + self.delay(), () => {
            if (self.link !== 'up') return
            self.do(() => {
              give()
              answer(resolve, reject)
            })
          })
        })
      })
    },
  }
  return self
}

/** Does something now, and tells the outcome later. */
function attempt<Answer>(
  make: () => Answer,
): (resolve: (answer: Answer) => void, reject: (error: unknown) => void) => void {
  try {
    const answer = make()
    return (resolve) => resolve(answer)
  } catch (error) {
    return (_, reject) => reject(error)
  }
}
