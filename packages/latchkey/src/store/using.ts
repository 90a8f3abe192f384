// The use of keys, which is written without an entry in the journal.

import type { UsageCount } from '../ports.ts'
import * as sql from './sql.ts'
import { addToSharedSums, addUsageRow, dropSomeUsageRows } from './usage-rows.ts'
import type { Work } from './work.ts'
import { row, run, takeSome } from './work.ts'

/** The most refusals that are deleted at once: each may need twenty pages from the disk. */
const mostAtOnce = 10

type LastUse = readonly [hash: string, at: number]

/** Writes counts, and then last uses, until that has taken long enough. Answers how many of both together. */
export function* recordSomeUse(counts: readonly UsageCount[], uses: readonly LastUse[]): Work<number> {
  const mayBeErased = (yield* row(sql.isAnythingErased)) !== undefined
  const added: UsageCount[] = []
  function* addUse(counted: UsageCount): Work<void> {
    // What was counted before something was erased would bring it back.
    if (mayBeErased && (yield* row(sql.isErasedUse, [counted.key, counted.owner])) !== undefined) return
    yield* addUsageRow(counted)
    added.push(counted)
  }
  const written = yield* takeSome([...counts.map(addUse), ...uses.map(moveLastUse)])
  yield* addToSharedSums(added)
  return written
}

function* moveLastUse(use: LastUse): Work<void> {
  yield* run(sql.moveKeyLastUsed, use)
  yield* run(sql.moveLastUsed, use)
}

export function* noteFirstUse(hash: string, at: number): Work<true> {
  if ((yield* run(sql.noteFirstUse, [hash, at])) === 1) yield* run(sql.moveKeyLastUsed, [hash, at])
  return true
}

/** Deletes use of a key or of an owner: so many rows at most, and less if that takes long. Answers how many. */
export function* forgetSomeUse(of: { readonly key: string } | { readonly owner: string }, limit: number): Work<number> {
  const [column, name] = 'key' in of ? (['key_id', of.key] as const) : (['owner', of.owner] as const)
  const counts = yield* dropSomeUsageRows('key' in of ? 'key' : 'owner', name, limit)
  return counts > 0 ? counts : yield* run(sql.dropRefusals[column], [name, Math.min(limit, mostAtOnce)])
}
