import type { KeyCount, KeyListPage, ListFilter, ListPosition } from '../../ports.ts'
import type { KeyRow } from '../key-columns.ts'
import { keyOfRow } from '../key-columns.ts'
import type { AskedFilter } from '../list-conditions.ts'
import type { OrderedRow, Walk } from '../list-order.ts'
import { endQuery, environmentsOfKeys, positionIn } from '../list-order.ts'
import type { Places } from '../list-query.ts'
import {
  allPlacesQuery,
  asksForMore,
  countQuery,
  mostCounted,
  mostLookedAt,
  mostOfAll,
  pageQuery,
  placesOf,
  placesQuery,
} from '../list-query.ts'
import type { OwnerRow } from '../rows.ts'
import type { Query } from '../sql.ts'
import { listEngine } from './list-engine.ts'
import type { Statements } from './statements.ts'
import type { Transactions } from './transactions.ts'

type ListedRow = KeyRow &
  OwnerRow &
  OrderedRow & {
    readonly last_used_at: number | null
    readonly old_ends_at: number | null
    readonly old_last_used_at: number | null
  }

/** The list of one connection. */
export function listOf({
  rows,
  atOneMoment,
}: Pick<Statements, 'rows'> & Pick<Transactions, 'atOneMoment'>): (filter: ListFilter) => KeyListPage {
  const answer = <Row>({ text, values }: Query): readonly Row[] => rows<Row>(text, values)

  const countOf = (query: Query): number => answer<{ readonly count: number }>(query)[0]?.count ?? 0

  /** How many keys there are, as far as they are counted and looked at. */
  function totalOf(filter: AskedFilter, keys: Walk, few: Places | undefined): KeyCount {
    const count = countOf(countQuery(filter, keys, few))
    if (count > mostCounted) return { count: mostCounted, more: true }
    const isAll = few !== undefined || !asksForMore(filter)
    return { count, more: !isAll && endOf({ ...keys, after: undefined }) !== undefined }
  }

  /** Where the keys end that were looked at, if others follow. */
  function endOf(keys: Walk): ListPosition | undefined {
    const [last, following] = answer<OrderedRow>(endQuery(keys, mostLookedAt))
    return last === undefined || following === undefined ? undefined : positionIn(last)
  }

  return (listed) =>
    atOneMoment(() => {
      const filter: AskedFilter = { ...listed, engine: listEngine }
      const { limit } = filter
      const all = filter.environments ?? rows<{ environment: string }>(environmentsOfKeys).map((row) => row.environment)
      const keys: Walk = { ...filter, environments: [...new Set(all)] }
      const none = { count: 0, more: false }
      if (keys.environments.length === 0)
        return { items: [], next: undefined, total: filter.count === true ? none : undefined }

      const usable = placesOf(filter, keys).filter(({ seen }) => seen || filter.bound !== true)
      const few = asksForMore(filter)
        ? usable.find(
            (places) =>
              (places.seen || countOf(allPlacesQuery(places)) <= mostOfAll) &&
              countOf(placesQuery(places, keys)) <= mostLookedAt,
          )
        : undefined
      const found = answer<ListedRow>(pageQuery(filter, keys, few))
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      const isFull = found.length > limit && last !== undefined
      const isAll = few !== undefined || !asksForMore(filter)
      return {
        items: shown.map((row) => ({
          place: row.place,
          key: keyOfRow(row),
          ownerDisabled: row.owner_disabled_at !== null,
          lastUsedAt: row.last_used_at,
          rotation:
            row.old_ends_at === null ? null : { oldEndsAt: row.old_ends_at, oldLastUsedAt: row.old_last_used_at },
        })),
        next: isFull ? positionIn(last) : isAll ? undefined : endOf(keys),
        total: filter.count === true ? totalOf(filter, keys, few) : undefined,
      }
    })
}
