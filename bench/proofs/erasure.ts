import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import type { SqliteStore } from 'latchkey/store/sqlite'
import { sqliteStore } from 'latchkey/store/sqlite'
import { startChild } from './child.ts'
import { faults } from './erasure-faults.ts'
import type { Doomed } from './erasure-population.ts'
import { keysThatStay, others, populate } from './erasure-population.ts'
import { defineProof } from './proof.ts'
import { seeded } from './random.ts'
import { inScratchFolder } from './scratch-folder.ts'

/** Milliseconds within which an erasing process is killed, if it is. */
const longestLife = 60

export const proof = defineProof({
  promise:
    'Of an owner that was erased, no byte is left, nothing of others is lost, and the journal is intact throughout',
  takes: 'about 3 minutes',
  sizes: { n: 40 },
  faults,
  faultSizes: { n: 5 },

  async prove({ sizes: { n }, seed, progress }) {
    return inScratchFolder('erasure', async (folder) => {
      const random = seeded(seed)
      const file = join(folder, 'keys.db')
      const store = sqliteStore({ file })
      const keyring = await openKeyring({ store, scopes: {} })
      for (const owner of others) await keyring.issue({ name: 'Stays', owner, scopes: [] })
      const count = { erased: 0, killed: 0, notIntact: 0, notCleared: 0, traces: 0, lost: 0, changesMeanwhile: 0 }
      for (let round = 1; round <= n; round++) {
        const doomed = await populate(keyring, random)
        const before = await keysThatStay(keyring)
        const done = new AbortController()
        const meanwhile = changeOthers(keyring, done.signal)
        const wait = random.chance(0.6) ? random.next() * longestLife : undefined
        const killed = await eraseInChild({ file, folder, owner: doomed.owner, wait })
        if (killed) {
          count.killed++
          if (!(await isIntact(keyring))) count.notIntact++
          const { cleared } = await finish(keyring, doomed.owner)
          if (!cleared) count.notCleared++
        }
        done.abort()
        count.changesMeanwhile += await meanwhile
        count.erased++
        if (!(await isIntact(keyring))) count.notIntact++
        await keyring.flushUsage()
        const found = await tracesOf(doomed, { store, file, folder })
        if (found.length > 0) progress(`round ${round}: traces in ${found.join(', ')}`)
        count.traces += found.length
        const after = await keysThatStay(keyring)
        for (const [id, text] of before) if (after.get(id) !== text) count.lost++
        if (round % 5 === 0) progress(`${round} of ${n} owners erased`)
      }
      await keyring.close()
      return {
        figures: count,
        required: {
          erased: { is: n },
          notIntact: { is: 0 },
          notCleared: { is: 0 },
          traces: { is: 0 },
          lost: { is: 0 },
          killed: { atLeast: 1 },
          changesMeanwhile: { atLeast: 1 },
        },
      }
    })
  },
})

/** Changes and verifies what stays until it is told to end. Answers how many changes were made. */
async function changeOthers(keyring: OpenKeyring, signal: AbortSignal): Promise<number> {
  const { key } = await keyring.issue({ name: 'Busy', owner: 'busy', scopes: [] })
  let changes = 0
  while (!signal.aborted) {
    await keyring.change(key.id, { name: `Busy ${++changes}` })
    if (changes % 20 === 0) await keyring.verifyJournal({ rows: true })
  }
  return changes
}

/** Answers whether it was killed before it was done. */
async function eraseInChild({
  file,
  folder,
  owner,
  wait,
}: {
  readonly file: string
  readonly folder: string
  readonly owner: string
  readonly wait: number | undefined
}): Promise<boolean> {
  const begun = Promise.withResolvers<void>()
  let last = ''
  const child = startChild({
    file: new URL('erasure-eraser.ts', import.meta.url),
    args: [file, owner],
    folder,
    onLine: (line) => {
      last = line
      begun.resolve()
    },
  })
  void child.ended.then(() => begun.resolve())
  await begun.promise
  if (wait !== undefined) {
    await sleep(wait)
    child.kill('SIGKILL')
  }
  const { code } = await child.ended
  if (code !== 0 && wait === undefined) throw new Error(`The erasing process failed: ${child.complaints()}`)
  return last !== 'erased'
}

/** The same call again; nothing is left to do if the process was killed after its last transaction. */
async function finish(keyring: OpenKeyring, owner: string): Promise<{ readonly cleared: boolean }> {
  if ((await keyring.owner(owner)) !== undefined) return keyring.eraseOwner(owner)
  // The owner is gone, and its log is cut off with the next erasure.
  const { key } = await keyring.issue({ name: 'Next', owner: 'busy', scopes: [] })
  await keyring.revoke(key.id, { reason: 'unused' })
  return keyring.eraseKey(key.id)
}

async function isIntact(keyring: OpenKeyring): Promise<boolean> {
  return (await keyring.verifyJournal({ rows: true })).intact
}

/** The files in which something of an owner is left. */
async function tracesOf(
  { mark }: Doomed,
  { store, file, folder }: { readonly store: SqliteStore; readonly file: string; readonly folder: string },
): Promise<readonly string[]> {
  const copy = join(folder, 'copy.db')
  rmSync(copy, { force: true })
  await store.backup(copy)
  return [file, `${file}-wal`, copy].filter((path) => existsSync(path) && readFileSync(path).includes(mark))
}
