import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from './child.ts'
import type { Findings } from './crash-check.ts'
import { checkAfterCrash } from './crash-check.ts'
import type { Ledger } from './crash-ledger.ts'
import { newLedger, note } from './crash-ledger.ts'
import type { Message } from './crash-writer.ts'
import { faults } from './crash-faults.ts'
import { defineProof } from './proof.ts'
import { seeded } from './random.ts'

/**
 * The phase from which the moment of death is counted, and the most milliseconds after its start: while the process
 * starts, while it opens the database (makes its tables, or recovers what the one before left), while it writes. Before its
 * first change it reads, for a time that depends on the machine.
 */
const moments = {
  start: { after: undefined, within: 150 },
  opening: { after: 'opening', within: 8 },
  writing: { after: 'begun', within: 600 },
} as const

/** The order of the rounds: most die writing. */
const order = ['writing', 'writing', 'opening', 'writing', 'writing', 'start', 'writing', 'writing'] as const

/** Milliseconds after which a writing process has hung. */
const longestLife = 60_000

/** How one life of the writing process went. */
interface Life {
  /** Whether it had opened the keyring. */
  readonly opened: boolean
  readonly acknowledged: number
  /** Changes that were begun and not acknowledged when it died. */
  readonly inFlight: number
  /** Its error output, if it ended before it was killed. */
  readonly failure: string | undefined
}

export const proof = defineProof({
  promise: 'An acknowledged change survives kill -9, and no change is half done',
  takes: 'about 3 minutes',
  sizes: { n: 100, writers: 32 },
  faults,
  faultSizes: { n: 24 },

  async prove({ sizes: { n: rounds, writers }, seed, progress }) {
    const random = seeded(seed)
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-crash-'))
    const total = collect(progress)
    const lives: Life[] = []
    const main = { file: join(folder, 'keys.db'), ledger: newLedger() }
    try {
      for (let round = 0; round < rounds; round++) {
        const moment = moments[order[round % order.length] ?? 'writing']
        // Every second process that dies early begins a new database, so that some die while the tables are created.
        const isNew = moment !== moments.writing && random.chance(0.5)
        const target = isNew ? { file: join(folder, `new-${round}.db`), ledger: newLedger() } : main
        const wait = random.next() * moment.within
        const life = await liveAndDie({ ...target, writers, seed: random.below(2 ** 32), after: moment.after, wait })
        lives.push(life)
        total.add(await checkCopy({ ...target, folder: join(folder, 'copy') }), `round ${round + 1}`)
        progress(`round ${round + 1} of ${rounds}: ${life.acknowledged} acknowledged, ${life.inFlight} in flight`)
        if (life.failure !== undefined) {
          progress(`round ${round + 1}: the writing process ended by itself: ${life.failure}`)
          break
        }
      }
      total.add(await checkAfterCrash(main), 'at the end')
    } finally {
      rmSync(folder, { recursive: true })
    }

    const acknowledged = lives.reduce((sum, life) => sum + life.acknowledged, 0)
    return {
      figures: {
        ...total.figures(),
        writersFailed: lives.filter((life) => life.failure !== undefined).length,
        roundsKilledInFlight: lives.filter((life) => life.inFlight > 0).length,
        roundsKilledBeforeOpen: lives.filter((life) => !life.opened).length,
        acknowledged,
        journalEntries: main.ledger.head?.seq ?? 0,
        keys: main.ledger.issued.size,
        revocations: main.ledger.revoked.size,
        secrets: main.ledger.secrets.size,
        spent: Array.from(main.ledger.spent.values(), ({ acknowledged: some }) => some).reduce(
          (sum, some) => sum + some,
          0,
        ),
      },
      required: {
        acknowledgedAndLost: { is: 0 },
        revokedAndAlive: { is: 0 },
        halfApplied: { is: 0 },
        journalsNotWhole: { is: 0 },
        writersFailed: { is: 0 },
        // Otherwise nothing was tried.
        roundsKilledInFlight: { atLeast: Math.ceil(rounds / 2) },
      },
    }
  },
})

/** Adds up what the checks find. */
function collect(progress: (line: string) => void): {
  readonly add: (findings: Findings, when: string) => void
  readonly figures: () => Readonly<Record<string, number>>
} {
  // Sets, because every later check finds the same fault again.
  const found = { lost: new Set(), alive: new Set(), halfApplied: new Set(), broken: new Set() }
  let roundsKeptUnacknowledged = 0
  return {
    add(findings, when) {
      if (findings.unacknowledged > 0) roundsKeptUnacknowledged++
      for (const kind of ['lost', 'alive', 'halfApplied', 'broken'] as const) {
        const fresh = findings[kind].filter((sentence) => !found[kind].has(sentence))
        for (const sentence of fresh) found[kind].add(sentence)
        for (const sentence of fresh.slice(0, 3)) progress(`${when}: ${kind}: ${sentence}`)
      }
    },
    figures: () => ({
      acknowledgedAndLost: found.lost.size,
      revokedAndAlive: found.alive.size,
      halfApplied: found.halfApplied.size,
      journalsNotWhole: found.broken.size,
      // Their process died after a commit and before it could say so.
      roundsKeptUnacknowledged,
    }),
  }
}

async function liveAndDie({
  file,
  ledger,
  writers,
  seed,
  after,
  wait,
}: {
  file: string
  ledger: Ledger
  writers: number
  seed: number
  after: Message['is'] | undefined
  wait: number
}): Promise<Life> {
  let opened = false
  let acknowledged = 0
  let begun = 0
  let timer: NodeJS.Timeout | undefined
  const die = (): void => void (timer ??= setTimeout(() => child.kill('SIGKILL'), wait))
  const child = startChild({
    file: new URL('crash-writer.ts', import.meta.url),
    args: [file, String(writers), String(seed)],
    folder: tmpdir(),
    onLine(line) {
      const message = JSON.parse(line) as Message
      note(ledger, message)
      if (message.is === after) die()
      if (message.is === 'open') opened = true
      if (message.is === 'begun') begun++
      if (message.is === 'refused') begun--
      if (message.is === 'done') acknowledged++
    },
  })
  if (after === undefined) die()
  const deadline = setTimeout(() => child.kill('SIGTERM'), longestLife)
  const { code, signal } = await child.ended
  clearTimeout(deadline)
  const failure = signal === 'SIGKILL' ? undefined : `${signal ?? code} ${child.complaints()}`
  return { opened, acknowledged, inFlight: begun - acknowledged, failure }
}

/** Checks a copy, so that the next process finds what this one left, and has to recover it, perhaps to die over it. */
async function checkCopy({
  file,
  ledger,
  folder,
}: {
  file: string
  ledger: Ledger
  folder: string
}): Promise<Findings> {
  const copy = join(folder, 'keys.db')
  // openKeyring makes the folder where nothing was left to copy.
  rmSync(folder, { recursive: true, force: true })
  if (existsSync(file)) {
    mkdirSync(folder)
    copyFileSync(file, copy)
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`)
  }
  return checkAfterCrash({ file: copy, ledger })
}
