import { addToCounts, countedKey, dropEmptyCounts } from './count-queries.ts'
import type { Work } from './work.ts'
import { pause, row, run } from './work.ts'

/** What decides where a key is counted. */
interface Counted {
  readonly owner: string
  readonly environment: string
  readonly disabledAt: number | null
  readonly revokedAt: number | null
}

/** The changes of counts that one commit makes. */
export interface KeyCounter {
  /** How a key is counted before it is changed. */
  readonly before: (id: string) => Work<Counted | undefined>
  /** Counts a key where it is now, and no longer where it was; `undefined` where it is not. */
  readonly moved: (before: Counted | undefined, after: Counted | undefined) => void
  /** Writes what has gathered: within the transaction that writes the keys. */
  readonly write: () => Work<void>
}

interface Delta {
  readonly owner: string
  readonly environment: string
  enabled: number
  disabled: number
  revoked: number
}

/** Gathers the changes of counts: many keys of one owner are one row. */
export function keyCounter(): KeyCounter {
  const deltas = new Map<string, Delta>()

  function add({ owner, environment, disabledAt, revokedAt }: Counted, by: 1 | -1): void {
    const kind = revokedAt !== null ? 'revoked' : disabledAt !== null ? 'disabled' : 'enabled'
    // Nobody has an empty name: its rows are the counts of all owners.
    for (const counted of [owner, '']) {
      const name = JSON.stringify([counted, environment])
      const delta = deltas.get(name) ?? { owner: counted, environment, enabled: 0, disabled: 0, revoked: 0 }
      delta[kind] += by
      deltas.set(name, delta)
    }
  }

  return {
    *before(id) {
      const found = yield* row<Omit<Counted, 'disabledAt' | 'revokedAt'> & Readonly<Record<string, number | null>>>(
        countedKey,
        [id],
      )
      if (found === undefined) return undefined
      const { owner, environment, disabled_at: disabledAt = null, revoked_at: revokedAt = null } = found
      return { owner, environment, disabledAt, revokedAt }
    },
    moved(before, after) {
      if (before !== undefined) add(before, -1)
      if (after !== undefined) add(after, 1)
    },
    *write() {
      for (const { owner, environment, enabled, disabled, revoked } of deltas.values()) {
        if (enabled === 0 && disabled === 0 && revoked === 0) continue
        yield* run(addToCounts, [owner, environment, enabled, disabled, revoked])
        if (enabled + disabled + revoked < 0) yield* run(dropEmptyCounts, [owner, environment])
        yield* pause()
      }
      deltas.clear()
    },
  }
}
