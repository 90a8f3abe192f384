import { join } from 'node:path'
import type { KeptRefusals, OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Child } from './child.ts'
import { startChild } from './child.ts'
import { defineProof } from './proof.ts'
import { faults } from './refusals-faults.ts'
import type { Flood, Flooded } from './refusals-flood.ts'
import { scopes } from './refusals-flood.ts'
import { inScratchFolder } from './scratch-folder.ts'

type Any = OpenKeyring<keyof typeof scopes>

/** Processes that refuse calls, each on a keyring of its own. */
const processes = 2

/** Rows beyond the bound for all keys that may be there for a while, from each process. */
const slack = 100

/** A process that refuses calls. */
interface Refuser {
  readonly child: Child
  readonly play: (flood: Flood) => Promise<Flooded>
  /** Tells it to end, and waits until it has. */
  readonly stop: () => Promise<void>
}

/** A key that is not flooded, and the ids of its refused requests. */
interface Other {
  readonly id: string
  readonly secret: string
  readonly requests: string[]
}

export const proof = defineProof({
  promise: 'A flood of refused calls, by strangers or with one key, loses no refusal of another key',
  takes: '3 to 6 minutes',
  sizes: { n: 1_000_000, keys: 40, each: 5 },
  faults,
  faultSizes: { n: 200_000, keys: 20, each: 5 },

  async prove({ sizes: { n: calls, keys, each }, seed, progress }) {
    return inScratchFolder('refusals', async (folder) => {
      const file = join(folder, 'keys.db')
      const floods = ['strangers', 'one key'] as const
      const ofOthers = floods.length * processes * keys * each
      const perKey = floods.length * processes * each + slack
      const kept = { known: ofOthers + perKey + processes * slack, perKey, strangers: 500 }
      const keyring = await openKeyring({ store: sqliteStore({ file }), scopes, refusals: kept })
      const noisy = await keyring.issue({ name: 'Noisy', owner: 'noisy', scopes: [] })
      const others = await otherKeys(keyring, keys)
      const outcomes: Flooded[] = []
      for (const [round, name] of floods.entries()) {
        const refusers = await Promise.all(
          Array.from({ length: processes }, async () => startRefuser({ folder, file, kept })),
        )
        const flooded = await Promise.all(
          refusers.map(async ({ play }, index) =>
            play({
              name: `${round}-${index}`,
              calls: Math.ceil(calls / processes),
              secret: name === 'one key' ? noisy.secret : undefined,
              others: others.map(({ secret }) => secret),
              each,
              seed: seed + round * processes + index,
            }),
          ),
        )
        // What was noted last is written when the process ends.
        await Promise.all(refusers.map(async ({ stop }) => stop()))
        for (const { noted } of flooded) noted.forEach((ids, index) => others[index]?.requests.push(...ids))
        outcomes.push(...flooded)
        progress(`${name}: ${flooded.reduce((sum, { refused }) => sum + refused, 0)} calls refused`)
      }

      const found = await searched(keyring, others)
      const [ofStrangers, ofNoisy, known] = await Promise.all([
        numberOf(keyring, ({ keyId }) => keyId === undefined),
        numberOf(keyring, ({ keyId }) => keyId === noisy.key.id),
        numberOf(keyring, ({ keyId }) => keyId !== undefined),
      ])
      await keyring.close()
      const beyond = [
        ofStrangers > kept.strangers,
        ofNoisy > kept.perKey,
        known > kept.known + (processes + 1) * slack,
      ].filter(Boolean)
      return {
        figures: {
          refused: outcomes.reduce((sum, { refused }) => sum + refused, 0),
          refusalsOfOthers: others.reduce((sum, { requests }) => sum + requests.length, 0),
          ...found,
          beyondBounds: beyond.length,
          keptOfStrangers: ofStrangers,
          keptOfTheOneKey: ofNoisy,
          longestTurn: Math.max(...outcomes.map(({ longestTurn }) => longestTurn)),
        },
        required: {
          refused: { atLeast: floods.length * calls },
          refusalsOfOthers: { is: ofOthers },
          lost: { is: 0 },
          countsWrong: { is: 0 },
          beyondBounds: { is: 0 },
          // Otherwise nothing was pushed out, and the bounds were not tried.
          keptOfStrangers: { is: kept.strangers },
          keptOfTheOneKey: { is: kept.perKey },
        },
      }
    })
  },
})

async function otherKeys(keyring: Any, count: number): Promise<readonly Other[]> {
  const made: Other[] = []
  for (let index = 0; index < count; index++) {
    const { key, secret } = await keyring.issue({ name: `Other ${index}`, owner: `owner ${index}`, scopes: [] })
    made.push({ id: key.id, secret, requests: [] })
  }
  return made
}

/** Looks for every refusal of the other keys: by the id of its request, and in the list of its key. */
async function searched(keyring: Any, others: readonly Other[]): Promise<Record<'lost' | 'countsWrong', number>> {
  let [lost, countsWrong] = [0, 0]
  for (const { id, requests } of others) {
    for (const request of requests) {
      const found = await keyring.refusal(request)
      if (found?.keyId !== id || found.code !== 'insufficient_scope') lost++
    }
    const { refusals } = await keyring.refusals({ key: id, limit: 1000 })
    if (refusals.reduce((sum, { count }) => sum + count, 0) !== requests.length) countsWrong++
  }
  return { lost, countsWrong }
}

/** How many rows there are of some. */
async function numberOf(keyring: Any, is: (one: { readonly keyId: string | undefined }) => boolean): Promise<number> {
  let number = 0
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await keyring.refusals({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
    number += page.refusals.filter(is).length
    ;({ cursor } = page)
  }
  return number
}

async function startRefuser({
  folder,
  file,
  kept,
}: {
  readonly folder: string
  readonly file: string
  readonly kept: KeptRefusals
}): Promise<Refuser> {
  const open = Promise.withResolvers<void>()
  const flooded = Promise.withResolvers<Flooded>()
  const child = startChild({
    file: new URL('refusals-flood.ts', import.meta.url),
    args: [file, JSON.stringify(kept)],
    folder,
    onLine: (line) => (line === 'open' ? open.resolve() : flooded.resolve(JSON.parse(line) as Flooded)),
  })
  const ended = child.ended.then(() => Promise.reject(new Error(`A process ended. ${child.complaints()}`)))
  await Promise.race([open.promise, ended])
  return {
    child,
    async play(flood) {
      child.tell(JSON.stringify(flood))
      return Promise.race([flooded.promise, ended])
    },
    async stop() {
      child.close()
      const { code } = await child.ended
      if (code !== 0) throw new Error(`A process failed. ${child.complaints()}`)
    },
  }
}
