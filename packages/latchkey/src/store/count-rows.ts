import type { CountedKeys, OwnerListItem } from '../ports.ts'
import type { OwnerRow } from './rows.ts'
import { ownerOfRow } from './rows.ts'

/** Kept counts of one owner and environment, beside those that were counted at one time. */
export interface CountRow {
  readonly environment: string
  readonly enabled: number
  readonly disabled: number
  readonly revoked: number
  readonly expired: number
  readonly pending: number
  readonly expiring: number
  readonly owner_disabled_at: number | null
}

/** Of the enabled keys, those of disabled owners. */
export type SuspendedRow = Pick<CountRow, 'environment' | 'enabled' | 'expired' | 'pending' | 'expiring'>

/** @param suspended - those of disabled owners among them, in a row of all owners. */
export function countedOfRow(row: CountRow, suspended?: SuspendedRow): CountedKeys {
  // The state of a key is that of its disabled owner rather than that of its time.
  const off = row.owner_disabled_at === null ? suspended : row
  const expired = row.expired - (off?.expired ?? 0)
  const pending = row.pending - (off?.pending ?? 0)
  const { environment, disabled, revoked } = row
  const owner_disabled = off?.enabled ?? 0
  const active = row.enabled - owner_disabled - expired - pending
  const states = { active, pending, expired, disabled, owner_disabled, revoked }
  return { environment, states, expiring: row.expiring - (off?.expiring ?? 0) }
}

/** A row of a page of owners: one of its environments, or `null` for an owner without keys. */
export type OwnerCountRow = OwnerRow &
  Omit<CountRow, 'environment' | 'expiring'> & { readonly environment: string | null }

/** The owners of a page, from rows that are in the order of owners. */
export function ownersOfRows(rows: readonly OwnerCountRow[]): readonly OwnerListItem[] {
  return [...Map.groupBy(rows, ({ owner }) => owner).values()].flatMap((ofOne) => {
    const [first] = ofOne
    if (first === undefined) return []
    const { owner } = first
    const keys = ofOne.flatMap((row) => {
      const { environment } = row
      if (environment === null) return []
      const { states } = countedOfRow({ ...row, environment, expiring: 0 })
      return [{ environment, states }]
    })
    return [{ owner: ownerOfRow(first) ?? { owner, disabledAt: null, limits: [], revision: 0 }, keys }]
  })
}
